"""A stand-in for the programs of the existing testbed, in the shapes of its messages.

testbed.py PORT NAMESPACE idle            listens as its agents do, and says nothing
testbed.py PORT NAMESPACE beat SECONDS    a transformer that only beats, every so many seconds
testbed.py PORT NAMESPACE work            one run after the other; at the end of stdin it finishes and tells its counts

Destinations are SLICES and RESULTS of the environment, by default the queues of the testbed.
"""

import json
import os
import sys
import threading
import time
import uuid

import stomp

port, namespace, job = int(sys.argv[1]), sys.argv[2], sys.argv[3]
SLICES = os.environ.get("SLICES", "/queue/panda.transformer.slices")
RESULTS = os.environ.get("RESULTS", "/queue/panda.results.fastprocessing")
counts = {"slices": 0, "done": 0, "results": 0}
sent, answered = set(), set()
over = threading.Event()


def say(**fields):
    print(json.dumps(fields), flush=True)


def naive():
    return time.strftime("%Y-%m-%dT%H:%M:%S") + ".%06d" % (time.time() % 1 * 1e6)


def connect(listener=None, version=stomp.Connection11):
    connection = version([("127.0.0.1", port)], heartbeats=(10000, 10000))
    if listener is not None:
        connection.set_listener("", listener(connection))
    connection.connect("swf", "secret", wait=True)
    return connection


def beat_headers(kind, internal):
    return {"persistent": "false", "vo": "eic", "msg_type": kind, "namespace": namespace,
            "client-id": internal, "id": internal, "ack": "auto"}


class Transformer(stomp.ConnectionListener):
    """Takes slices of its namespace, and answers each. Its frames have headers that are named as the broker's own."""

    def __init__(self, connection):
        self.connection = connection
        self.name = f"{namespace}.ResultPublisher.epic-dev.{uuid.uuid4().hex[:8]}"
        self.publisher = connect(version=stomp.Connection12)

    def on_message(self, frame):
        body = json.loads(frame.body)
        content = body["content"]
        result = {"msg_type": "slice_result", "run_id": body["run_id"], "created_at": naive(), "content": {
            "requested_at": body["created_at"], "processing_start_at": naive(), "processed_at": naive(),
            "state": "done", "hostname": "epic-dev", "panda_task_id": "1", "panda_id": "2", "harvester_id": "3",
            "result": {"state": True, "result": {**content, "state": "processed", "processed": True}, "error": None}}}
        headers = {**beat_headers("slice_result", self.name), "persistent": "true", "ttl": "43200000",
                   "run_id": body["run_id"]}
        self.publisher.send(RESULTS, json.dumps(result), headers=headers)
        counts["done"] += 1
        self.connection.ack(frame.headers["ack"])


class FastProcessing(stomp.ConnectionListener):
    """Takes every result, whoever it is for."""

    def __init__(self, connection):
        pass

    def on_message(self, frame):
        body = json.loads(frame.body)
        counts["results"] += 1
        answered.add(body["content"]["result"]["result"]["req_id"])


def run(agent, number):
    run_id = str(900000 + number)
    execution = f"stf_datataking-shifter-{number:04}"
    common = {"namespace": namespace, "execution_id": execution, "run_id": run_id}

    def broadcast(msg_type, sender="daq_simulator-agent-shifter-3", **fields):
        body = {"msg_type": msg_type, **common, **fields, "timestamp": naive(), "simulation_tick": 5, "sender": sender}
        agent.send("/topic/epictopic", json.dumps(body))

    broadcast("run_imminent", state="beam", substate="not_ready")
    broadcast("start_run", state="run", substate="physics")
    for sequence in range(1, 4):
        stf = f"swf.{run_id}.{sequence:06}.stf"
        broadcast("stf_gen", filename=stf, sequence=sequence, state="run", substate="physics")
        broadcast("stf_ready", sender="data-agent-shifter-1", filename=stf, sequence=sequence, file_url=None, checksum=None)
        for slice_id in range(4):
            req_id = str(uuid.uuid4())
            body = {"msg_type": "slice", "run_id": run_id, "created_at": naive(), "content": {
                "run_id": run_id, "execution_id": execution, "req_id": req_id, "filename": stf,
                "tf_filename": f"{stf[:-4]}_tf_001_slice_{slice_id:03}.tf", "slice_id": slice_id,
                "start": 2 * slice_id, "end": 2 * slice_id + 1, "tf_count": 2, "state": "queued", "substate": "new"},
                "sender": "fast_processing-agent-shifter-2", "namespace": namespace}
            headers = {"persistent": "true", "ttl": "43200000", "vo": "eic", "msg_type": "slice",
                       "namespace": namespace, "run_id": run_id}
            agent.send(SLICES, json.dumps(body), headers=headers)
            sent.add(req_id)
            counts["slices"] += 1
        if over.wait(0.5):
            break
    broadcast("end_run", total_stf_files=3)


def work():
    connect(FastProcessing).subscribe(RESULTS, id=1, ack="auto")
    connect(Transformer, stomp.Connection12).subscribe(
        SLICES, id=1, ack="client-individual", headers={"selector": f"namespace = '{namespace}'"})
    agent = connect()
    say(ready=True)
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    number = 0
    while not over.is_set():
        number += 1
        run(agent, number)
    deadline = time.time() + 20
    while answered != sent and time.time() < deadline:
        time.sleep(0.1)
    say(**counts, missing=len(sent - answered), foreign=len(answered - sent))


if job == "idle":
    connect(FastProcessing).subscribe("/topic/epictopic", id=1, ack="auto")
    say(ready=True)
    sys.stdin.read()
elif job == "beat":
    transformer = connect(version=stomp.Connection12)
    internal = f"{namespace}.TFBroadcastSubscriber.epic-dev.a385e33e"
    say(ready=True)
    while True:
        body = {"msg_type": "heartbeat", "internal_id": internal, "namespace": namespace, "timestamp": time.time()}
        transformer.send("/topic/panda.transformer", json.dumps(body), headers=beat_headers("heartbeat", internal))
        time.sleep(float(sys.argv[4]))
else:
    work()
