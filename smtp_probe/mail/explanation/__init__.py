"""What a saved message says of its own way: all that `smtp-probe explain` shows, as values; `explain` is the way in."""
