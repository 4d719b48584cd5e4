"""What is asked, and in which order, through ports. Knows no library and no sink."""
