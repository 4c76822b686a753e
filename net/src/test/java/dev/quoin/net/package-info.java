/** Tests of the front door: tables asked over raw frames, foreign clients, and abuse. */
@NullMarked
package dev.quoin.net;

import org.jspecify.annotations.NullMarked;
