#!/bin/sh
# Installs the Debian packages that the mail lab runs, and starts none of their services.
#
# Usage: sh tests/lab/install.sh [--quiet]
# Needs root, or sudo. Does nothing, quickly, where every package is there already.
set -eu

packages="postfix postfix-pcre dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-sieve
opendkim opendkim-tools nsd unbound ldnsutils postgrey prometheus prometheus-alertmanager prometheus-mailexporter libsasl2-modules
bubblewrap tmux chromium libfaketime openssl iproute2 procps util-linux ca-certificates python3-venv
libdb5.3 libgnutls-dane0 libidn12 libnsl2
libshp2 libical3 libpcre3 libjansson4 libnghttp2-14 libxapian30 libclamav12 libzephyr4 libpq5 libwrap0"
# Exim and Postfix exclude each other as packages. Of Exim the lab has the program alone, beside the
# libraries above, and without the right to become root.
exim=/opt/mail-lab/exim4
# Cyrus and Dovecot exclude each other likewise: the lab has Cyrus' programs and libraries in a folder of their own.
cyrus=/opt/mail-lab/cyrus

quiet=
case ${1:-} in
    '') ;;
    --quiet) quiet=1 ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

say() { [ -n "$quiet" ] || printf '%s\n' "$*"; }

# shellcheck disable=SC2086 # a list of words on purpose
installed=$(dpkg-query -W -f '[${Package} ${db:Status-Status}]' $packages 2>/dev/null) || :
missing=
for package in $packages; do
    case $installed in
        *"[$package installed]"*) ;;
        *) missing="$missing $package" ;;
    esac
done
unpacked=
[ -x "$exim" ] || unpacked=" exim4-daemon-light"
[ -x "$cyrus/usr/lib/cyrus/bin/httpd" ] || unpacked="$unpacked cyrus-common cyrus-caldav"
if [ -z "$missing$unpacked" ]; then
    say "lab: all packages are installed"
    exit 0
fi

if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "lab: missing:$missing$unpacked (needs root or sudo to install)" >&2
        exit 1
    fi
    exec sudo sh "$0" "$@"
fi

# policy-rc.d is how Debian lets an administrator say "start no service" while packages install.
# One that is there already belongs to somebody else: it is put aside and put back.
policy=/usr/sbin/policy-rc.d
aside=
put_back() {
    rm -f "$policy"
    if [ -n "$aside" ]; then mv "$aside" "$policy"; fi
}
trap put_back EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -e "$policy" ] || [ -L "$policy" ]; then
    aside=$policy.before-mail-lab
    mv "$policy" "$aside"
fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
run() {
    if [ -z "$quiet" ]; then "$@"; return; fi
    if ! "$@" >"$log" 2>&1; then cat "$log" >&2; rm -f "$log"; return 1; fi
}
run apt-get update -q
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
# shellcheck disable=SC2086 # a list of words on purpose
[ -z "$missing" ] || run apt-get install -y -q --no-install-recommends $missing
if [ -n "$unpacked" ]; then
    folder=$(mktemp -d)
    chown _apt "$folder"
    # shellcheck disable=SC2086
    (cd "$folder" && run apt-get download -q $unpacked)
    for package in "$folder"/*.deb; do dpkg --extract "$package" "$folder/package"; done
    if [ -d "$folder/package/usr/lib/cyrus" ]; then
        rm -rf "$cyrus" && mkdir -p "$cyrus" && cp -a "$folder/package/usr" "$cyrus"
    fi
    [ ! -e "$folder/package/usr/sbin/exim4" ] || install -D -m 755 "$folder/package/usr/sbin/exim4" "$exim"
    rm -rf "$folder"
fi
rm -f "$log"
say "lab: installed$missing$unpacked"
