# What the checks of a release share: each is a line, and the last line counts them. To be sourced, once $work is a directory.
checks_passed=0
checks_failed=0
said=$work/said # what the command of the last "holds" printed

holds() { # WORDS COMMAND...: the command ends well
  local words=$1
  shift
  if "$@" >"$said" 2>&1; then
    checks_passed=$((checks_passed + 1))
    echo "ok      $words"
  else
    checks_failed=$((checks_failed + 1))
    echo "FAILED  $words: $*"
    sed 's/^/  /' "$said"
  fi
}

is() { # WORDS EXPECTED ACTUAL
  if [ "$2" = "$3" ]; then
    checks_passed=$((checks_passed + 1))
    echo "ok      $1"
  else
    checks_failed=$((checks_failed + 1))
    printf 'FAILED  %s\n  expected: %q\n  actual:   %q\n' "$1" "$2" "$3"
  fi
}

fails() { # COMMAND...: it does not end well
  ! "$@"
}

tally() { # ends the script
  echo "$(basename "$0"): $checks_passed passed, $checks_failed failed"
  [ "$checks_failed" -eq 0 ] && [ "$checks_passed" -gt 0 ]
  exit
}

is_free() { # PORT
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() { # one below those that the kernel gives to outgoing connections
  local port
  while true; do
    port=$((12000 + RANDOM % 20000))
    if is_free "$port"; then
      echo "$port"
      return
    fi
  done
}

await() { # SECONDS TEXT FILE: until the file has it
  local end=$((SECONDS + $1))
  until grep -qs "$2" "$3"; do
    [ "$SECONDS" -lt "$end" ] || {
      echo "not within $1 s: $2; but:"
      cat "$3"
      return 1
    }
    sleep 0.05
  done
}

milliseconds() { # COMMAND...: how long it takes, the median of eleven times
  local i begin
  for i in 1 2 3 4 5 6 7 8 9 10 11; do
    begin=${EPOCHREALTIME/./}
    "$@" >/dev/null 2>&1
    echo $(((${EPOCHREALTIME/./} - begin) / 1000))
  done | sort -n | sed -n 6p
}
