"""The cases, each a module with `TITLE`, `PACKAGES` (what apt must have installed) and `run(options)`, which answers
one `Report` or several."""
