# Runs the judge over many captures and brings its findings into a form that can be compared.
# SPDX-License-Identifier: BSD-3-Clause
import json
import os
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

BATCH = 40
BAD = ("fail", "warn")


class JudgeBroken(Exception):
    """The program under test did not keep its contract: no JSON, a crash, a file left out."""


def _batch(smclab, paths):
    command = [smclab, "check", "--format", "json", *paths]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    # 0 no fail, 1 a fail, 3 something unreadable (cut files are), 77 nothing to judge: all of them print their result
    if done.returncode not in (0, 1, 3, 77):
        raise JudgeBroken(f"exit status {done.returncode} on {paths[0]} …: {done.stderr.decode(errors='replace')[-2000:]}")
    try:
        result = json.loads(done.stdout)
    except ValueError as error:
        raise JudgeBroken(f"no JSON for {paths[0]} …: {error}: {done.stderr.decode(errors='replace')[-2000:]}") from error
    by_name = {os.path.basename(item["file"]): item for item in result["files"]}
    return [by_name.get(os.path.basename(path)) for path in paths]


def judge(smclab, paths, workers=2):
    """{path: the result of its file}; base names must differ."""
    batches = [paths[at:at + BATCH] for at in range(0, len(paths), BATCH)]
    with ThreadPoolExecutor(workers) as pool:
        results = [item for batch in pool.map(lambda b: _batch(smclab, b), batches) for item in batch]
    missing = [path for path, item in zip(paths, results) if item is None]
    if missing:
        raise JudgeBroken(f"no result for {missing[0]} and {len(missing) - 1} more")
    return dict(zip(paths, results))


def counted(result):
    """How often each (requirement, verdict) was found."""
    return Counter((f["requirement"], f["verdict"]) for f in result["findings"])


def fresh(result, before):
    """Findings beyond those of the unchanged capture."""
    seen = Counter()
    out = []
    for finding in result["findings"]:
        name = finding["requirement"], finding["verdict"]
        seen[name] += 1
        if seen[name] > before[name]:
            out.append(finding)
    return out
