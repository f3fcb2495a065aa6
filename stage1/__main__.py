"""`python -m stage1`: the same as the `stage1` command."""

from stage1.cli import main

main()
