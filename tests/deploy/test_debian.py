"""The Debian package: built by its recipe, installed by dpkg into a throw-away copy of this system, run there, and purged."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SESSION = """
set -eu
mount -t tmpfs none {place}
mkdir {place}/upper {place}/work {place}/root
mount -t overlay none -o lowerdir=/,upperdir={place}/upper,workdir={place}/work {place}/root
mount -t proc none {place}/root/proc
cp {package} {place}/root/smtp-probe.deb
exec chroot {place}/root sh -eux -c '
unset PYTHONPATH VIRTUAL_ENV
cd /
dpkg -i smtp-probe.deb
dpkg --verify smtp-probe
systemd-analyze verify smtp-probe.service
smtp-probe version
smtp-probe config-schema > /dev/null
install -d -m 0755 /etc/smtp-probe
! smtp-probe check-config /etc/smtp-probe/smtp-probe.yaml
mkdir -p /var/lib/smtp-probe && touch /var/lib/smtp-probe/journal.db
dpkg --remove smtp-probe
test -e /var/lib/smtp-probe/journal.db
dpkg --purge smtp-probe
test ! -e /var/lib/smtp-probe -a ! -e /usr/lib/smtp-probe -a ! -e /usr/bin/smtp-probe
'
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    out = tmp_path_factory.mktemp("debian")
    subprocess.run(
        ["sh", "deploy/debian/build.sh", out], cwd=ROOT, check=True, capture_output=True, timeout=400
    )
    [found] = out.glob("smtp-probe_*.deb")
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.lab
def test_the_package_has_what_belongs_to_it_owned_by_root(package):
    listing = subprocess.check_output(["dpkg-deb", "--contents", package], text=True)
    lines = [line.split(None, 5) for line in listing.splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    files = {line[5] for line in lines}
    for name in (
        "usr/bin/smtp-probe",
        "lib/systemd/system/smtp-probe.service",
        "usr/lib/smtp-probe/smtp_probe/__main__.py",
        "usr/share/doc/smtp-probe/copyright",
        "usr/share/doc/smtp-probe/examples/smtp-probe.example.yaml",
    ):
        assert f"./{name}" in files
    assert not [name for name in files if "/pytest/" in name or name.startswith("./usr/lib/smtp-probe/bin")]
    depends = subprocess.check_output(["dpkg-deb", "--field", package, "Depends"], text=True)
    assert re.match(r"python3 \(>= 3\.(\d+)\), python3 \(<< 3\.\d+~\)", depends)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.lab
def test_the_package_is_installed_run_and_purged(package, tmp_path):
    session = SESSION.format(place=tmp_path, package=package)
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", session], capture_output=True, text=True, timeout=200, cwd="/"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^smtp-probe \d+\.\d+\.\d+$", run.stdout, re.MULTILINE)
    assert "smtp-probe.yaml" in run.stderr
