import os
import re
import stat
import threading

import pytest

from smtp_probe.config.keys import KEY_FILE, check_keys, load_or_make_keys
from smtp_probe.config.load import load
from smtp_probe.errors import ConfigError
from tests.config.samples import ENVIRONMENT, SOUND, write_sound


@pytest.fixture
def config(tmp_path):
    """A configuration whose state directory does not exist yet."""
    return load(write_sound(tmp_path, SOUND + "state_directory: var/state\n"), ENVIRONMENT)


def with_key_files(config, *files):
    return config.model_copy(update={"tag_key_files": files})


def write_key(path, content=b"k" * 32, mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(config):
    with pytest.raises(ConfigError) as caught:
        load_or_make_keys(config)
    return str(caught.value)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_start_makes_a_key_and_the_next_one_reads_it(config):
    (first,) = load_or_make_keys(config)
    assert re.fullmatch(rb"[0-9a-f]{64}", first)
    assert load_or_make_keys(config) == (first,)
    assert mode_of(config.state_directory) == 0o700
    assert mode_of(config.state_directory / KEY_FILE) == 0o600
    assert [path.name for path in config.state_directory.iterdir()] == [KEY_FILE]


def test_two_made_keys_are_different(config):
    (first,) = load_or_make_keys(config)
    (config.state_directory / KEY_FILE).unlink()
    assert load_or_make_keys(config) != (first,)


def test_a_wide_umask_does_not_open_the_key(config):
    before = os.umask(0)
    try:
        load_or_make_keys(config)
    finally:
        os.umask(before)
    assert mode_of(config.state_directory) == 0o700
    assert mode_of(config.state_directory / KEY_FILE) == 0o600


def test_starts_at_the_same_moment_agree_on_one_key(config):
    config.state_directory.mkdir(mode=0o700, parents=True)
    barrier, found = threading.Barrier(8), []

    def start():
        barrier.wait(timeout=10)
        found.append(load_or_make_keys(config))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_file_system_without_hard_links_will_do(config, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (key,) = load_or_make_keys(config)
    monkeypatch.undo()
    assert load_or_make_keys(config) == (key,)
    assert [path.name for path in config.state_directory.iterdir()] == [KEY_FILE]


def test_a_key_that_cannot_be_written_leaves_nothing_behind(config, monkeypatch):
    def fill_up(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)
    assert refusal(config) == (
        f"state_directory: {config.state_directory / KEY_FILE} cannot be made: no space left on device"
    )
    assert list(config.state_directory.iterdir()) == []


def test_named_keys_are_read_newest_first(config, tmp_path):
    new, old = write_key(tmp_path / "new", b"n" * 32), write_key(tmp_path / "old", b"o" * 40 + b"\n")
    assert load_or_make_keys(with_key_files(config, new, old)) == (b"n" * 32, b"o" * 40)
    assert not config.state_directory.exists()


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 31 + b"\n"])
def test_a_short_key_is_refused_with_the_way_to_a_good_one(config, tmp_path, content):
    path = write_key(tmp_path / "short key", content)
    assert refusal(with_key_files(config, path)) == (
        f"tag_key_files.0: {path} holds {len(content.strip())} bytes, but a key needs at least 32: "
        f"make one with: openssl rand -hex 32 > '{path}'"
    )


def test_every_bad_key_is_named(config, tmp_path):
    good = write_key(tmp_path / "good")
    missing, large = tmp_path / "missing", write_key(tmp_path / "large", b"k" * 5000)
    paths = [path for path, _ in check_keys(with_key_files(config, missing, good, large))]
    assert paths == [("tag_key_files", 0), ("tag_key_files", 2)]
    assert len(refusal(with_key_files(config, missing, good, large)).splitlines()) == 2


def test_a_made_key_that_was_cut_short_is_refused(config):
    load_or_make_keys(config)
    (config.state_directory / KEY_FILE).write_bytes(b"cut")
    assert "holds 3 bytes" in refusal(config)


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o702, 0o704, 0o777])
def test_a_state_directory_open_to_others_is_refused_with_the_command(config, mode):
    config.state_directory.mkdir(parents=True)
    config.state_directory.chmod(mode)
    assert refusal(config) == (
        f"state_directory: {config.state_directory} is open to others (mode {mode:04o}): "
        f"run: chmod 700 {config.state_directory}"
    )
    assert list(config.state_directory.iterdir()) == []


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_key_open_to_others_is_refused_with_the_command(config, tmp_path, mode):
    load_or_make_keys(config)
    made = config.state_directory / KEY_FILE
    made.chmod(mode)
    assert refusal(config).endswith(f"{made} is open to others (mode {mode:04o}): run: chmod 600 {made}")
    named = write_key(tmp_path / "named", mode=mode)
    assert refusal(with_key_files(config, named)).endswith(f"run: chmod 600 {named}")


def test_a_group_of_our_own_may_have_access_and_another_may_not(config, monkeypatch):
    """Kubernetes gives a volume to the pod by a group (fsGroup), on each start anew."""
    load_or_make_keys(config)
    config.state_directory.chmod(0o770)
    (config.state_directory / KEY_FILE).chmod(0o660)
    assert load_or_make_keys(config)
    own = config.state_directory.stat().st_gid
    monkeypatch.setattr(os, "getegid", lambda: own + 1)
    monkeypatch.setattr(os, "getgroups", lambda: [own + 2])
    assert "is open to others (mode 0770)" in refusal(config)


def test_a_state_directory_that_is_a_file(config, tmp_path):
    """It says which of the path's parts is in the way."""
    in_the_way = tmp_path / "var"
    in_the_way.write_text("")
    assert (
        refusal(config)
        == f"state_directory: {config.state_directory} cannot be made: {in_the_way} is not a directory"
    )


def test_a_key_that_root_makes_belongs_to_the_owner_of_the_directory(config):
    """`probe` by root before the daemon's first start must not lock the daemon out."""
    config.state_directory.mkdir(parents=True, mode=0o700)
    os.chown(config.state_directory, 65534, 65534)
    load_or_make_keys(config)

    assert (config.state_directory / KEY_FILE).stat().st_uid == 65534
