"""An embedded mail path, so that the ordinary daemon can be seen at work with no account and no root.

- `scenarios`: what can happen to mail, as data.
- `mail_path`: the whole, as one `async with`; it writes the daemon's configuration (`daemon_config`).
- `chain`: four hosts in a row. Each is a `host` with a `relay` (what the network sees: `reception`) and a `carrier`
  (what it does with mail: `spool`, `forwarding`, `notification`), a `hop_clock` and one of the `dialects`.
- `imap`: the mailboxes at the end. `strangers`: other people who write to them.
- `addresses`, `letter`, `queue_ids`, `certificates`, `path_log`, `extra`: what these need.

Only `relay`, `reception`, `imap` and `chain` import the packages of the extra `demo`; `mail_path` imports those when
it is entered, so that a missing extra is told in one sentence.
"""
