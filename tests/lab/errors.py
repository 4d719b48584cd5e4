"""What the lab raises when it cannot do what it was asked."""


class LabError(Exception):
    """The lab cannot start, or a part of it did not do what it must."""
