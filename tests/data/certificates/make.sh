#!/bin/sh
# Makes the certificates of the tests anew: EC P-256, valid for about a hundred years. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Fixed, so that a machine whose clock is wrong can still run the tests.
start=20200101000000Z
end=21191231235959Z

cat > "$work/ca.conf" <<CONF
[ca]
default_ca = tests
[tests]
database = $work/index
rand_serial = yes
new_certs_dir = $work
default_md = sha256
unique_subject = no
policy = any
[any]
organizationName = optional
commonName = optional
CONF
: > "$work/index"

# key NAME COMMON_NAME: a key, and a request for a certificate.
key() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
    -keyout "$1-key.pem" -out "$work/$1.request" -subj "/O=sluice tests/CN=$2"
}

# sign NAME END EXTENSIONS OPTIONS...: the certificate for it.
sign() {
  name=$1 until=$2
  printf '%s\n' "$3" > "$work/extensions"
  shift 3
  openssl ca -batch -notext -config "$work/ca.conf" -in "$work/$name.request" -out "$name.pem" \
    -startdate $start -enddate "$until" -extfile "$work/extensions" "$@"
}

# authority NAME COMMON_NAME [AUTHORITY]: one that signs others, and itself if nobody else does.
authority() {
  key "$1" "$2"
  mv "$1-key.pem" "$work/$1-key.pem"
  if [ $# -eq 3 ]; then by "$3"; else set -- "$1" "$2"; signer="-selfsign -keyfile $work/$1-key.pem"; fi
  # shellcheck disable=SC2086
  sign "$1" $end "subjectKeyIdentifier=hash
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign" $signer
}

by() {
  signer="-cert $1.pem -keyfile $work/$1-key.pem"
}

# host NAME AUTHORITY COMMON_NAME END [SUBJECT_ALT_NAME]: a server that is also a client, as SIP servers are.
host() {
  key "$1" "$3"
  by "$2"
  # shellcheck disable=SC2086
  sign "$1" "$4" "basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth,clientAuth
${5:+subjectAltName=$5}" $signer
}

authority ca "Test authority"
authority stranger-ca "Unknown authority"

host example ca example.com $end "DNS:example.com,URI:sip:example.com"
host renewed ca example.com $end "DNS:example.com,URI:sip:example.com"
host second ca second.example.net $end "DNS:second.example.net"
host loopback ca localhost $end "DNS:localhost,IP:127.0.0.1,IP:::1"
host wildcard ca wildcard.example.com $end "DNS:*.example.com"
host uri ca "by URI" $end "DNS:unrelated.example.com,URI:sip:pbx.example.com,URI:sip:alice@user.example.com"
host client ca client.example.com $end "DNS:client.example.com,URI:sip:client.example.com"
host stranger stranger-ca example.com $end "DNS:example.com,URI:sip:example.com"
# By its common name alone, as old ones are.
host common-name ca legacy.example.com $end
host expired ca example.com 20200201000000Z "DNS:example.com"

# One behind another authority: alone, and with its chain after it.
authority intermediate "Intermediate authority" ca
host chained intermediate chained.example.com $end "DNS:chained.example.com"
cat chained.pem intermediate.pem > chained-full.pem
