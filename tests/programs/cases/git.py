"""git: init, commits, log, a merge, gc, fsck, and a clone through upload-pack."""

from support import need

WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "1700000000 +0000",
       "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "1700000000 +0000",
       "GIT_CONFIG_NOSYSTEM": "1"}


def run(stage):
    git = need("git")

    def do(*words, directory="first", **options):
        return stage.command(git, "-C", directory, "-c", "gc.auto=0", *words, env=WHO, **options)

    do("init", "-q", "first", directory=".")
    do("symbolic-ref", "HEAD", "refs/heads/main")
    for turn in range(2):
        for number in range(120):
            stage.write(f"first/file{number}", f"{number}\n" * (50 + number * (turn + 1)))
        do("add", ".")
        do("commit", "-q", "-m", f"turn {turn}")
    do("checkout", "-q", "-b", "side", "HEAD^")
    stage.write("first/side", "side\n")
    do("add", "side")
    do("commit", "-q", "-m", "side")
    do("checkout", "-q", "main")
    do("merge", "-q", "--no-edit", "side")
    do("log", "--stat", "--format=%H %T %s")
    do("gc", "-q")
    do("fsck", "--full", "--no-progress")
    do("clone", "-q", "--no-local", "first", "second", directory=".")
    do("log", "-p", "--format=%H", directory="second")
    do("status", "--porcelain", directory="second")
    do("diff", "--exit-code", "HEAD^", directory="second", status=1)
    stage.produced("second/file7", "second/side")
