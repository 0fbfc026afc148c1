"""The matrix's application in Flask."""

from importlib.metadata import version

from flask import Flask, Response

app = Flask(__name__)


@app.get("/hello")
def hello() -> Response:
    return Response("Hello, World!\n", mimetype="text/plain")


@app.get("/framework")
def framework() -> dict[str, str]:
    return {"framework": "flask", "version": version("flask")}
