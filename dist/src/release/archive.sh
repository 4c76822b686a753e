# Archives that are the same, byte for byte, whenever they are made of the same files. To be sourced.
# SOURCE_DATE_EPOCH is the time of everything in them (https://reproducible-builds.org/specs/source-date-epoch/).

settle() { # DIRECTORY: gives all in it the same time and plain permissions
  find "$1" -type d -exec chmod 755 {} +
  find "$1" -type f -perm /111 -exec chmod 755 {} +
  find "$1" -type f ! -perm /111 -exec chmod 644 {} +
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

tarball() { # DIRECTORY NAME...: writes a tar of these, in DIRECTORY, to standard output
  local directory=$1
  shift
  tar --format=gnu --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -C "$directory" -cf - "$@"
}

ar_archive() { # FILE MEMBER...: packs files by their base names, in ar's common format
  local archive=$1 member bytes
  shift
  printf '!<arch>\n' >"$archive"
  for member; do
    bytes=$(stat -c %s "$member")
    printf '%-16s%-12s%-6s%-6s%-8s%-10s`\n' "$(basename "$member")" "$SOURCE_DATE_EPOCH" 0 0 100644 "$bytes" >>"$archive"
    cat "$member" >>"$archive"
    [ $((bytes % 2)) -eq 0 ] || printf '\n' >>"$archive"
  done
}

sha256() { # FILE
  sha256sum "$1" | cut -d ' ' -f 1
}
