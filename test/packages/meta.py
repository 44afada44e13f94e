"""Check an archive for PGXN: its META.json against the specification, and its files against META.json.

    meta.py inventory-1.0.0.zip

Prints each fault.  The specification is https://pgxn.org/meta/spec.txt, version 1.0.0.
"""

import json
import re
import sys
import zipfile

REQUIRED = {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"}
OPTIONAL = {"description", "generated_by", "tags", "no_index", "prereqs", "release_status", "resources"}
RESOURCES = {"homepage", "bugtracker", "repository"}
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([A-Za-z][-0-9A-Za-z]*)?$")
TERM = re.compile(r"[^\s/\\\x00-\x1f\x7f]{2,}$")
NOT_RELEASED = re.compile(r"\.ci/|\.git")


def is_text(value):
    return isinstance(value, str) and value != ""


def check_fields(meta):
    """Yield what is wrong with the fields by themselves."""
    for key in REQUIRED - meta.keys():
        yield f"{key} is missing"
    for key in meta.keys() - REQUIRED - OPTIONAL:
        if not key.lower().startswith("x_"):
            yield f"{key} is not in the specification"
    for key in ("name", "abstract", "description", "generated_by"):
        if key in meta and not is_text(meta[key]):
            yield f"{key} is not a text"
    if not TERM.match(meta.get("name", "")):
        yield "name is not a term"
    if not VERSION.match(meta.get("version", "")):
        yield "version is not a semantic version"
    if meta.get("license") != "postgresql":
        yield "license is not postgresql"
    if meta.get("release_status") not in ("stable", "testing", "unstable"):
        yield "release_status is not one of the three"
    if meta.get("meta-spec") != {"version": "1.0.0", "url": "https://pgxn.org/meta/spec.txt"}:
        yield "meta-spec is not version 1.0.0"
    for tag in meta.get("tags", []):
        if not TERM.match(tag) or len(tag) > 255:
            yield f"{tag} is not a tag"


def check_parts(meta):
    """Yield what is wrong with the objects in it."""
    for phase, relations in meta.get("prereqs", {}).items():
        if phase not in ("configure", "build", "test", "runtime", "develop"):
            yield f"prereqs: no phase {phase}"
        for versions in relations.values():
            yield from (f"prereqs: {name} has no version" for name, version in versions.items()
                        if version != 0 and not VERSION.match(version))
    for key, value in meta.get("resources", {}).items():
        if key not in RESOURCES:
            yield f"resources: no key {key}"
        url = value if key == "homepage" else value.get("url", value.get("web"))
        if not url or not re.match(r"(https?|git|ssh)://", url):
            yield f"resources: {key} has no URL"
    if not meta.get("resources"):
        yield "resources are missing"


def check_files(meta, top, names):
    """Yield what META.json names and the archive lacks, and the reverse."""
    for name, extension in meta["provides"].items():
        for key in ("abstract", "file", "version", "docfile"):
            if key not in extension:
                yield f"provides: {name} has no {key}"
        yield from (f"there is no {extension[key]}" for key in ("file", "docfile")
                    if top + extension.get(key, "") not in names)
        # its client would not create an extension by another file
        if not extension.get("file", "").endswith(".sql"):
            yield f"provides: the file of {name} is not a script"
        if extension["version"] != meta["version"]:
            yield f"{name} has another version"
    for directory in meta["no_index"]["directory"]:
        if not any(name.startswith(f"{top}{directory}/") for name in names):
            yield f"no_index: there is no directory {directory}"
    for directory in sorted({name[len(top):].split("/")[0] for name in names if "/" in name[len(top):]}):
        if directory not in meta["no_index"]["directory"] + ["doc"]:
            yield f"no_index: {directory} is indexed"
    for file in meta["no_index"]["file"]:
        if top + file not in names:
            yield f"no_index: there is no file {file}"
    for file in ("README.md", "LICENSE", "CHANGELOG.md", "Makefile", f"{meta['name']}.control"):
        if top + file not in names:
            yield f"there is no {file}"


def check_archive(path):
    """Yield what is wrong with an archive."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        top = names[0].split("/")[0] + "/"
        meta = json.loads(archive.read(top + "META.json"))
    if top != f"{meta['name']}-{meta['version']}/" or not path.endswith(f"/{top[:-1]}.zip"):
        yield f"the archive is not called {meta['name']}-{meta['version']}"
    yield from (f"{name} is not in {top}" for name in names if not name.startswith(top))
    yield from (f"{name} is in the archive" for name in names if NOT_RELEASED.match(name[len(top):]))
    yield from check_fields(meta)
    yield from check_parts(meta)
    yield from check_files(meta, top, names)


def main():
    faults = list(check_archive(sys.argv[1]))
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))


main()
