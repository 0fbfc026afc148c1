"""An `app` that cannot be called."""

app = "not a callable"
