"""An embedded mail path, so that the ordinary daemon can be seen at work with no account and no root."""
