"""The facts that the journal holds as JSON, and how each is written and read: once for those who write and who read.

In: a fact, or what the journal holds of it. Out: the other of both. What does not fit raises pydantic.ValidationError.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from smtp_probe.model import Authentication, Bounce, Fork, Outcome, Probe, Submission

PROBE = TypeAdapter(Probe)
SUBMISSION = TypeAdapter(Submission)
OUTCOME = TypeAdapter(Outcome)
BOUNCE = TypeAdapter(Bounce)
FORK = TypeAdapter(Fork)
AUTHENTICATION = TypeAdapter(Authentication)
