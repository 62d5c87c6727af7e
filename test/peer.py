"""A STOMP client that is not ours: what an independent program sees and does on the broker.

peer.py PORT NAMESPACE start COUNT   asks the DAQ simulator for a run of COUNT STFs, as the testbed does
peer.py PORT NAMESPACE listen        prints the type of every broadcast, until workflow_ended
peer.py PORT NAMESPACE work          works on slices, until stdin is closed
"""

import json
import socket
import sys
import uuid

import stomp

port, namespace, job = int(sys.argv[1]), sys.argv[2], sys.argv[3]
selector = f"namespace = '{namespace}'"
# Slices of recorders alone: those of other programs are theirs.
slices = selector + " AND store_id IS NOT NULL"


def say(**fields):
    print(json.dumps(fields), flush=True)


def connect(listener=None):
    connection = stomp.Connection11([("127.0.0.1", port)], heartbeats=(10000, 10000))
    if listener is not None:
        connection.set_listener("", listener(connection))
    connection.connect("swf", "secret", wait=True)
    return connection


def start(count):
    connection = connect()
    body = {
        "msg_type": "run_workflow",
        "namespace": namespace,
        "sender": "peer",
        "workflow_name": "stf_datataking",
        "command_id": str(uuid.uuid4()),
        "executed_by": "peer",
        "speed": 20,
        "params": {"stf_count": count, "fast_processing": {"slice_processing_time": 2}},
    }
    headers = {"namespace": namespace, "msg_type": "run_workflow", "persistent": "true"}
    connection.send("/queue/workflow_control", json.dumps(body), headers=headers, receipt="start")
    connection.disconnect()


class Ear(stomp.ConnectionListener):
    def __init__(self, connection):
        self.connection = connection

    def on_message(self, frame):
        body = json.loads(frame.body)
        say(msg_type=body["msg_type"], header=frame.headers.get("msg_type"), namespace=frame.headers.get("namespace"))


class Hand(stomp.ConnectionListener):
    def __init__(self, connection):
        self.connection = connection

    def on_message(self, frame):
        slice_message = json.loads(frame.body)
        common = {key: slice_message[key] for key in
                  ("execution_id", "run_id", "slice_id", "slice_filename", "tf_filename", "attempt")}
        common.update(sender="peer", namespace=namespace, worker_id="peer/01", hostname=socket.gethostname())
        for fields in ({"msg_type": "slice_started"},
                       {"msg_type": "slice_result", "state": "done", "processing_seconds": 0.5}):
            headers = {"namespace": namespace, "msg_type": fields["msg_type"], "persistent": "true",
                       "run_id": slice_message["run_id"], "store_id": frame.headers["store_id"]}
            self.connection.send("/queue/panda.results.fastprocessing", json.dumps({**common, **fields}), headers=headers)
        self.connection.ack(frame.headers["message-id"], "1")
        say(done=slice_message["slice_filename"], start=slice_message["start"], end=slice_message["end"])


if job == "start":
    start(int(sys.argv[4]))
elif job == "listen":
    connect(Ear).subscribe("/topic/epictopic", id=1, ack="auto", headers={"selector": selector})
    say(ready=True)
    sys.stdin.read()
elif job == "work":
    connect(Hand).subscribe("/queue/panda.transformer.slices", id=1, ack="client-individual",
                            headers={"selector": slices, "activemq.prefetchSize": "1"})
    say(ready=True)
    sys.stdin.read()
