/**
 * Tests of the store: stories for every rule that a client could notice, a model that is too simple to be wrong and is
 * compared with the store over long random sequences, properties of the index, and a program that measures.
 */
@NullMarked
package dev.quoin.store;

import org.jspecify.annotations.NullMarked;
