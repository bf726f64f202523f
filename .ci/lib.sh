# Functions that the scripts of this folder share; they source it.

# step NAME COMMAND…: runs a command with its name above it and its time below. The first failure ends the script.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "==> $name"
    "$@"
    echo "--- $name: $((SECONDS - start)) s"
}

# target: the absolute path of cargo's target directory.
target() {
    realpath -m "${CARGO_TARGET_DIR:-target}"
}

# tool NAME VERSION: puts a program from crates.io on the path; builds it in the target directory unless it is there.
tool() {
    local root
    root=$(target)/tools
    PATH=$PATH:$root/bin
    command -v "$1" >/dev/null || cargo install --quiet --locked --debug --root "$root" "$1@$2"
}
