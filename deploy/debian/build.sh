#!/bin/sh
# build.sh DIRECTORY: make smtp-probe_VERSION_ARCHITECTURE.deb in DIRECTORY, for the Debian (or Ubuntu) that it is run on.
#
# Run it in the top folder of the sources. It needs python3 (3.11 or newer) with venv, and dpkg-deb; no root. The pinned
# packages, hashes checked, are part of the .deb, in /usr/lib/smtp-probe, where no other program sees them; since some are
# compiled for one version of Python, the package depends on exactly that.
set -eu
out=$(cd "$1" && pwd)
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
lib=$root/usr/lib/smtp-probe
doc=$root/usr/share/doc/smtp-probe
umask 022

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
    --requirement requirements/build.txt
uv=$work/venv/bin/uv
export UV_NO_CACHE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
"$uv" pip install --quiet --python "$python" --target "$lib" --require-hashes --requirements requirements/runtime.txt
"$uv" build --quiet --wheel --python "$work/venv" --no-build-isolation --out-dir "$work/wheel"
"$uv" pip install --quiet --python "$python" --target "$lib" --no-deps "$work"/wheel/*.whl
rm -rf "$lib/bin" "$lib/.lock"
"$python" -m compileall -q -s "$root" "$lib"

install -D -m 0755 deploy/debian/smtp-probe "$root/usr/bin/smtp-probe"
install -D -m 0644 deploy/systemd/smtp-probe.service "$root/lib/systemd/system/smtp-probe.service"
install -d -m 0755 "$root/etc/smtp-probe" "$doc/docs" "$doc/examples"
install -m 0644 README.md CHANGELOG.md "$doc"
install -m 0644 LICENSE "$doc/copyright"
install -m 0644 docs/*.md "$doc/docs"
install -m 0644 deploy/smtp-probe.example.yaml "$doc/examples"

version=$(PYTHONPATH=$lib "$python" -c 'import smtp_probe; print(smtp_probe.__version__)')
next=$("$python" -c 'import sys; print(f"3.{sys.version_info.minor + 1}~")')
this=$("$python" -c 'import sys; print(f"3.{sys.version_info.minor}")')
architecture=$(dpkg --print-architecture)
install -d -m 0755 "$root/DEBIAN"
install -m 0755 deploy/debian/postinst deploy/debian/prerm deploy/debian/postrm "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<END
Package: smtp-probe
Version: $version
Architecture: $architecture
Maintainer: ${DEBEMAIL:-smtp-probe <postmaster@localhost>}
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: python3 (>= $this), python3 (<< $next), libc6, ca-certificates
Suggests: prometheus
Section: mail
Priority: optional
Description: Prometheus exporter and synthetic mail delivery prober
 Sends tagged messages through the real delivery path, watches the
 recipient's mailbox for them, and tells where mail is slow, lost, junked
 or bounced.
END
(cd "$root" && find usr lib -type f -exec md5sum {} + > DEBIAN/md5sums)
dpkg-deb -Zzstd -z10 --root-owner-group --build "$root" "$out/smtp-probe_${version}_${architecture}.deb"
