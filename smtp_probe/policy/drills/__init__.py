"""Pure: what a drill saw, judged. One file for each kind; the findings are told in docs/checks.md."""
