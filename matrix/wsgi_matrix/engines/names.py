"""What ``--engine`` takes. By itself, so that who only declares the option imports no engine."""

ENGINES = ("auto", "docker", "process")
