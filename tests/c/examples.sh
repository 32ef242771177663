# Sourced by test-abi: tests each example, with success and with each failure.

compiles() { # compiles NAME FLAG...
  example=$1; shift
  promise "$example compiles as C99 without a warning" $cc -std=c99 $strict "examples-c/$example.c" \
    -Iinclude -L$release -lzelf -Wl,-rpath,"$PWD/$release" "$@" -o "$out/$example"
}
example() { # example NAME FLAG...
  compiles "$@"
  promise "$example prints a token, and each failure" every_path timeout 60
  if has valgrind; then
    promise "$example is clean under valgrind on each path" every_path timeout 60 $valgrind
  fi
}
every_path() { # every_path COMMAND...: runs it with the example as its last argument
  start_sandbox "$out/sandbox"
  gives 0 "$@" "$out/$example" "$ZELF_HTTPS" https://a.test example "$ZELF_CA" &&
    grep -q '^eyJ' "$out/output" &&
    gives 1 "$@" "$out/$example" "$ZELF_HTTPS" https://a.test example &&
    gives 1 "$@" "$out/$example" http://127.0.0.1:1 &&
    gives 1 "$@" "$out/$example" http://127.0.0.1:1 https://a.test undefined &&
    gives 1 "$@" "$out/$example" nonsense
  is_fine=$?
  stop_sandbox
  return $is_fine
}

if wanted create_session; then example create_session; fi
if wanted create_session_async; then example create_session_async -lpthread; fi
if wanted provider; then example provider; fi
for loop in libuv:libuv glib:glib-2.0; do
  wanted "create_session_${loop%:*}" || continue
  if has pkg-config && pkg-config --exists "${loop#*:}"; then
    # -isystem: their headers may have warnings.
    example "create_session_${loop%:*}" -D_GNU_SOURCE \
      $(pkg-config --cflags "${loop#*:}" | sed 's/-I/-isystem /g') $(pkg-config --libs "${loop#*:}")
  else
    skip "create_session_${loop%:*} (pkg-config ${loop#*:})"
  fi
done

# The server has ended, and the token is still returned.
token_comes_again() { # token_comes_again COMMAND...: before the example
  rm -rf "$out/home" "$out/stored"
  mkdir -m 700 "$out/home" "$out/stored" || return
  start_sandbox "$out/sandbox"
  gives 0 "$@" "$ZELF_HTTPS" https://a.test example "$ZELF_CA" "$out/stored" 2>"$out/errors" &&
    cp "$out/output" "$out/token" && grep -q '^eyJ' "$out/token" &&
    gives 0 "$@" "$ZELF_HTTP" 2>>"$out/errors" && cp "$out/output" "$out/own-token"
  is_fine=$?
  stop_sandbox
  [ $is_fine -eq 0 ] &&
    gives 0 "$@" "$ZELF_HTTPS" https://a.test example "$ZELF_CA" "$out/stored" 2>>"$out/errors" &&
    cmp "$out/output" "$out/token" &&
    gives 0 "$@" "$ZELF_HTTP" 2>>"$out/errors" && cmp "$out/output" "$out/own-token" &&
    [ ! -s "$out/errors" ] &&
    gives 1 "$@" "$ZELF_HTTPS" https://a.test other "$ZELF_CA" "$out/stored" 2>"$out/errors" &&
    gives 1 "$@" "$ZELF_HTTP" https://a.test undefined 2>>"$out/errors" &&
    gives 1 "$@" nonsense 2>>"$out/errors" &&
    [ "$(grep -c '^cannot' "$out/errors")" = 3 ] && ! grep eyJ "$out/errors"
}

# Each snippet is put into a function, after declarations of the names that the text uses. A snippet
# with a main is a whole program, and not put there.
the_code_compiles() { # the_code_compiles FILE NAME: the snippets of FILE, as $out/NAME.c
  {
    printf '%s\n' '#include <stdio.h>' '#include <string.h>' '#include <zelf.h>' \
      'extern zelf_config *config;' 'extern void send_with(const char *authorization);' \
      'extern zelf_session_callback on_session;' \
      'extern zelf_client *client;' 'extern zelf_session_options *options;' \
      'extern zelf_session_provider *provider;' 'extern zelf_request *request;' \
      'extern zelf_error *error;' 'extern const char *json, *identifier;' 'extern void *data;' \
      'extern int status;' 'extern const void *body;' 'extern size_t length;' \
      'extern zelf_response_callback on_response;' 'extern zelf_destroy_callback free_data;'
    awk '/^```c$/ { inside = 1; code = ""; next }
      /^```$/ { if (inside && code !~ /int main/) printf "void snippet_%d(void) {\n%s}\n", ++count, code; inside = 0 }
      inside { code = code $0 "\n" }' "$1"
  } >"$out/$2.c"
  programs=$(grep -c '^int main' "$1")
  [ $(($(grep -c '^void snippet' "$out/$2.c") + programs)) = "$(grep -c '^```c$' "$1")" ] &&
    [ "$(grep -c '^void snippet' "$out/$2.c")" -gt 3 ] &&
    $cc -std=c99 $strict -Wno-unused-variable -Iinclude -fsyntax-only "$out/$2.c"
}
# The program has the sandbox where the text has the public API.
the_readmes_program_compiles() {
  {
    printf '%s\n' '#include <stdlib.h>' '#include <zelf.h>' \
      'static zelf_client *sandbox(zelf_error **error)' '{' \
      '    zelf_config *config = zelf_config_new();' '    zelf_client *client;' \
      '    zelf_config_set_base_url(config, getenv("ZELF_HTTPS"));' \
      '    zelf_config_set_ca_file(config, getenv("ZELF_CA"));' \
      '    client = zelf_client_new(config, error);' '    zelf_config_free(config);' \
      '    return client;' '}'
    awk '/^```c$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md |
      sed 's/zelf_client_new(NULL, /sandbox(/'
  } >"$out/readme_program.c"
  grep -q ' = sandbox(&error);' "$out/readme_program.c" &&
    $cc -std=c99 $strict "$out/readme_program.c" -Iinclude -L$release -lzelf \
      -Wl,-rpath,"$PWD/$release" -o "$out/readme_program"
}
the_readmes_program_runs() { # the_readmes_program_runs COMMAND...: before the program
  start_sandbox "$out/sandbox"
  gives 0 "$@" "$out/readme_program" && grep -q '^Authorization: Bearer eyJ' "$out/output" &&
    gives 1 env ZELF_CA="$ZELF_OTHER_CA" "$@" "$out/readme_program" 2>"$out/errors" &&
    grep -q certificate "$out/errors" && gives 1 env ZELF_HTTPS=nonsense "$@" "$out/readme_program"
  is_fine=$?
  stop_sandbox
  return $is_fine
}
if wanted guide; then
  promise "the guide's code compiles as C99 without a warning" the_code_compiles docs/guide.md guide
fi
if wanted readme; then
  promise "the README's code compiles as C99 without a warning" the_code_compiles README.md readme
  if promise "the README's program compiles as C99 without a warning" the_readmes_program_compiles; then
    promise "the README's program prints a token, and each failure" the_readmes_program_runs timeout 60
    if has valgrind; then
      promise "the README's program is clean under valgrind on each path" the_readmes_program_runs timeout 60 $valgrind
    fi
  fi
fi

# The tag is found, and a refusal and each error are reported.
a_tag_is_searched() { # a_tag_is_searched COMMAND...: before the example
  start_sandbox "$out/sandbox" --fault '{"kind":"refusal","as":"search_limit","query":"=refused"}'
  gives 0 "$@" "a b&c.zelf" "$ZELF_HTTPS" https://a.test example "$ZELF_CA" 2>"$out/errors" &&
    grep -q '"request":"GET /api/tags/search?tagName=a%20b%26c%2Ezelf"' "$out/output" && [ ! -s "$out/errors" ] &&
    gives 1 "$@" refused "$ZELF_HTTP" 2>"$out/errors" &&
    [ "$(cat "$out/errors")" = "refused: HTTP 403, Search limit exceeded" ] &&
    gives 1 "$@" "" "$ZELF_HTTP" 2>"$out/errors" && grep -q '^refused: HTTP 409, ' "$out/errors" &&
    gives 1 "$@" "$(printf %09000d 0)" "$ZELF_HTTP" 2>"$out/errors" && grep -q '^cannot search: .*8192' "$out/errors" &&
    gives 1 "$@" a http://127.0.0.1:1 2>"$out/errors" && grep -q '^cannot search: ' "$out/errors" &&
    gives 1 "$@" a http://127.0.0.1:1 https://a.test undefined 2>"$out/errors" &&
    gives 1 "$@" a nonsense 2>>"$out/errors" && [ "$(grep -c '^cannot begin: ' "$out/errors")" = 2 ]
  is_fine=$?
  stop_sandbox
  return $is_fine
}

if wanted request; then
  compiles request
  promise "request prints the tag's JSON, a refusal, and each error" a_tag_is_searched timeout 60 "$out/request"
  if has valgrind; then
    promise "request is clean under valgrind on each path" a_tag_is_searched timeout 60 $valgrind "$out/request"
  fi
fi

# The program has the process ID of the shell, which is part of the file's name.
a_link_is_not_followed() {
  rm -rf "$out/linked"; mkdir -p "$out/linked/.zelf" && echo mine >"$out/linked/other" &&
    ! env HOME="$PWD/$out/linked" sh -c 'ln -s ../other "$HOME/.zelf/identifier.$$" && exec "$@"' \
      sh "$out/token_cli" http://127.0.0.1:1 &&
    [ "$(cat "$out/linked/other")" = mine ] &&
    grep -Eq '^[0-9a-f]{32}$' "$out/linked/.zelf/identifier" &&
    [ "$(ls "$out/linked/.zelf" | grep -c identifier)" = 1 ]
}

if wanted token_cli; then
  compiles token_cli
  in_home="env HOME=$PWD/$out/home"
  promise "token_cli prints the same token again without a server, and no token on stderr" \
    token_comes_again $in_home "$out/token_cli"
  promise "token_cli keeps one identifier in the home directory" \
    grep -Eq '^[0-9a-f]{32}$' "$out/home/.zelf/identifier"
  promise "token_cli writes through no link that lies in its way" a_link_is_not_followed
  promise "token_cli has its files for the user alone" sh -c "
    [ \"\$(ls -ld '$out/home/.zelf' | cut -c1-10)\" = drwx------ ] &&
    [ \"\$(ls -l '$out/home/.zelf' | grep -c '^-rw-------.*session\$')\" = 1 ]"
  if has valgrind; then
    promise "token_cli is clean under valgrind on each path" token_comes_again $in_home $valgrind "$out/token_cli"
  fi
fi
