# Sourced by test-abi: starts widely used proxies on loopback. Sets $real_proxies, the arguments of
# the program networks: NAME=URL, and NAME=URL=STATUS for a refusal.
real_proxies=
# The squid binary is in a folder for daemons.
PATH=$PATH:/usr/sbin
proxies=$out/proxies

start_real_proxies() {
  rm -rf "$proxies"; mkdir -p "$proxies"
  trap 'stop_helpers; stop_sandbox' EXIT
  promise "the helper for ports compiles" \
    $cc -std=c99 -D_GNU_SOURCE $strict tests/c/port.c -Iinclude -lpthread -o "$out/port" || return
  if has tinyproxy; then
    start_proxy tinyproxy && add "tinyproxy=http://127.0.0.1:$port"
    start_proxy tinyproxy "BasicAuth user s3cr3t" &&
      add "tinyproxy-with-credentials=http://user:s3cr3t@127.0.0.1:$port" \
        "tinyproxy-without-credentials=http://127.0.0.1:$port=407"
  else
    skip "a real proxy (tinyproxy)"
  fi
  if has microsocks; then
    start_proxy microsocks &&
      add "microsocks=socks5://127.0.0.1:$port" "microsocks-with-names=socks5h://127.0.0.1:$port"
    start_proxy microsocks -u user -P s3cr3t &&
      add "microsocks-with-credentials=socks5h://user:s3cr3t@127.0.0.1:$port" \
        "microsocks-with-others=socks5h://user:other@127.0.0.1:$port=0" \
        "microsocks-without-credentials=socks5://127.0.0.1:$port=0"
  else
    skip "a real SOCKS proxy (microsocks)"
  fi
  if has squid && has openssl; then
    promise "certificates for squid are made" make_certificate || return
    export ZELF_PROXY_CA="$proxies/ca.pem"
    start_proxy squid http_port allow && add "squid=http://127.0.0.1:$port"
    start_proxy squid https_port allow && add "squid-over-TLS=https://localhost:$port"
    start_proxy squid https_port deny && add "squid-that-forbids=https://localhost:$port=403"
  else
    skip "a real proxy over TLS (squid, openssl)"
  fi
}

add() { real_proxies="$real_proxies $*"; }

# start_proxy KIND [OPTION...]: starts a proxy and sets $port. Another program may take a free port
# first, so it tries several times.
start_proxy() {
  for try in 1 2 3; do
    port=$("$out/port" free)
    "run_$@" >"$proxies/$1-$port.log" 2>&1 &
    helpers="$helpers $!"
    # A process that has ended has no executable.
    if "$out/port" wait "$port" && [ -e "/proc/$!/exe" ]; then return; fi
  done
  cat "$proxies/$1-$port.log"; not_ok "$1 starts"
  return 1
}

run_tinyproxy() {
  cat >"$proxies/tinyproxy-$port.conf" <<EOF
Listen 127.0.0.1
Port $port
Timeout 60
MaxClients 50
LogLevel Error
${1:-}
EOF
  exec tinyproxy -d -c "$proxies/tinyproxy-$port.conf"
}

run_microsocks() { exec microsocks -i 127.0.0.1 -p "$port" "$@"; }

run_squid() { # run_squid http_port|https_port allow|deny
  tls=
  [ "$1" = http_port ] || tls="tls-cert=$proxies/cert.pem tls-key=$proxies/key.pem"
  # squid refuses to run as root.
  user=
  [ "$(id -u)" -ne 0 ] || user="cache_effective_user proxy"
  cat >"$proxies/squid-$port.conf" <<EOF
$1 127.0.0.1:$port $tls
http_access $2 all
cache deny all
memory_cache_shared off
access_log none
cache_log /dev/null
cache_store_log none
pid_filename none
pinger_enable off
visible_hostname localhost
$user
shutdown_lifetime 0 seconds
EOF
  # Its shared memory is named after the service.
  exec squid -N -d 1 -n "zelf$port" -f "$proxies/squid-$port.conf"
}

# Makes an authority, and its certificate for localhost.
make_certificate() {
  new="openssl req -newkey rsa:2048 -nodes -days 2 -batch"
  $new -x509 -subj "/CN=A proxy's authority" -keyout "$proxies/ca.key" -out "$proxies/ca.pem" &&
    $new -subj /CN=localhost -keyout "$proxies/key.pem" -out "$proxies/request.pem" &&
    echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >"$proxies/names" &&
    openssl x509 -req -in "$proxies/request.pem" -CA "$proxies/ca.pem" -CAkey "$proxies/ca.key" \
      -CAcreateserial -days 2 -extfile "$proxies/names" -out "$proxies/cert.pem"
}
