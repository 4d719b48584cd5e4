"""SPF (RFC 7208): the record's grammar, macros, the evaluation of `check_host`, and what is wrong with a record."""
