"""The command line; `app.main` is its entry point, each other file one command or a few."""
