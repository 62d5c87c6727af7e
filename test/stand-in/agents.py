"""Agents of the existing testbed as its tables describe them: a runner, a data agent, a fastmon agent, a fast processing agent and a transformer.

agents.py BROKER_PORT API_ROOT NAMESPACE STF_COUNT

They make one run over the broker and the REST interface of their monitor, and print what they counted. Every answer that one of the real programs would try again,
or die of, is an error here.
"""

import json
import os
import sys
import threading
import time
import uuid

import requests
import stomp

port, root, namespace, stf_count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
HOST = ("127.0.0.1", port)
counts = {"stf": 0, "tf": 0, "slices": 0, "results": 0, "calls": 0, "again": 0, "slowest": 0.0}
lock = threading.Lock()
answered = threading.Event()


def naive():
    return time.strftime("%Y-%m-%dT%H:%M:%S") + ".%06d" % (time.time() % 1 * 1e6)


class Monitor:
    """Calls of one program: a session that keeps its connection."""

    def __init__(self):
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Token " + os.environ["SWF_MONITOR_TOKEN"]

    def call(self, method, path, body=None, query=None):
        began = time.time()
        answer = self.session.request(method, f"{root}/api/{path}/", json=body, params=query, timeout=10, allow_redirects=False)
        with lock:
            counts["calls"] += 1
            counts["slowest"] = max(counts["slowest"], time.time() - began)
            if answer.status_code == 404 or answer.status_code >= 500 or answer.status_code == 401:
                counts["again"] += 1
        if answer.status_code >= 300:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()


class Agent(stomp.ConnectionListener):
    """A program with a name that the monitor numbers, a connection, and a topic."""

    def __init__(self, kind, topic=None):
        self.monitor = Monitor()
        number = self.monitor.call("POST", "state/next-agent-id")["agent_id"]
        self.name = f"{kind.lower()}-agent-user-{number}"
        self.kind = kind
        self.connection = stomp.Connection11([HOST], heartbeats=(10000, 10000))
        self.connection.set_listener("", self)
        self.connection.connect("swf", "secret", wait=True)
        if topic is not None:
            self.monitor.call("POST", "subscribers", {"subscriber_name": f"{self.name}-{topic}", "is_active": True, "fraction": 1})
            self.connection.subscribe(topic, id=1, ack="auto")
        self.beat("READY")

    def beat(self, state):
        self.monitor.call("POST", "systemagents/heartbeat", {
            "instance_name": self.name, "agent_type": self.kind, "status": "OK", "operational_state": state,
            "namespace": namespace, "hostname": "here", "pid": os.getpid(), "mq_connected": True})
        self.monitor.session.post(f"{root}/api/logs/", headers={"Authorization": None}, json={
            "app_name": "base_agent", "instance_name": self.name, "timestamp": naive(), "level": 20, "message": state, "extra_data": None})

    def say(self, topic, body, **headers):
        self.connection.send(f"/topic/{topic}", json.dumps({**body, "sender": self.name}), headers=headers)

    def on_message(self, frame):
        body = json.loads(frame.body)
        if body.get("namespace", frame.headers.get("namespace")) == namespace:
            getattr(self, "on_" + body["msg_type"], lambda body: None)(body)


class Data(Agent):
    def on_run_imminent(self, body):
        self.run = self.monitor.call("POST", "runs", {"run_number": int(body["run_id"]), "start_time": naive(), "run_conditions": {}})["run_id"]

    def on_stf_gen(self, body):
        file = self.monitor.call("POST", "stf-files", {
            "run": self.run, "stf_filename": body["filename"], "file_size_bytes": None, "machine_state": "run", "status": "registered",
            "metadata": {"created_by": self.name, "sequence": body["sequence"]}})["file_id"]
        self.say("epictopic", {**body, "msg_type": "stf_ready", "checksum": None})
        self.monitor.call("PATCH", f"stf-files/{file}", {"status": "processed", "metadata": {"processed_by": self.name}})

    def on_end_run(self, body):
        self.monitor.call("PATCH", f"runs/{self.run}", {"end_time": naive()})


class Fastmon(Agent):
    def on_stf_ready(self, body):
        for n in range(1, 4):
            tf = {"tf_filename": body["filename"].replace(".stf", f"_tf_{n:03d}.tf"), "tf_first": n * 50, "tf_last": n * 50 + 19, "tf_count": 20}
            file = self.monitor.call("POST", "fastmon-files", {
                "stf_file": body["filename"], **tf, "file_size_bytes": 20, "status": "registered", "metadata": {"agent_name": self.name}})
            self.say("epictopic", {
                "msg_type": "tf_file_registered", "namespace": namespace, "run_id": body["run_id"], "execution_id": None,
                "tf_file_id": file["tf_file_id"], "stf_filename": body["filename"], **tf})


class FastProcessing(Agent):
    def on_run_imminent(self, body):
        self.execution = body["execution_id"]
        told = self.monitor.call("GET", f"workflow-executions/{self.execution}")
        self.slices = told["parameter_values"]["fast_processing"]["slices_per_sample"]
        self.event(body, {"execution_id": self.execution})

    def event(self, body, data, kind=None):
        self.monitor.call("POST", "system-state-events", {
            "timestamp": naive(), "run_number": body["run_id"], "event_type": kind or body["msg_type"], "state": "unknown", "event_data": data})

    def on_tf_file_registered(self, body):
        made = []
        for n in range(self.slices):
            name = body["tf_filename"].replace(".tf", f"_slice_{n:03d}.tf")
            where = {"slice_id": n, "tf_filename": name, "tf_count": 4}
            self.monitor.call("POST", "tf-slices", {
                **where, "tf_first": body["tf_first"] + 4 * n, "tf_last": body["tf_first"] + 4 * n + 3, "stf_filename": body["stf_filename"],
                "run_number": body["run_id"], "status": "queued", "retries": 0,
                "metadata": {"execution_id": self.execution, "created_by": self.name}})
            made.append({**where, "run_id": body["run_id"], "execution_id": self.execution, "req_id": str(uuid.uuid4()),
                         "filename": body["stf_filename"], "start": body["tf_first"] + 4 * n, "end": body["tf_first"] + 4 * n + 3,
                         "state": "queued", "substate": "new"})
        for content in made:
            with lock:
                counts["slices"] += 1
            self.say("panda.slices", {"msg_type": "slice", "run_id": body["run_id"], "created_at": naive(), "content": content, "namespace": namespace},
                     namespace=namespace, run_id=body["run_id"], msg_type="slice", persistent="true")
        state = self.monitor.call("GET", f"run-states/{body['run_id']}")
        self.monitor.call("PATCH", f"run-states/{body['run_id']}", {
            "slices_created": state["slices_created"] + len(made), "state_changed_at": naive()})
        with lock:
            counts["tf"] += 1
        self.event(body, {"tf_filename": body["tf_filename"], "slices_created": len(made)}, "tf_file_processed")


class Results(Agent):
    """The part of fast processing that hears results, with a connection of its own."""

    def on_slice_result(self, body):
        run, result = body["run_id"], body["content"]["result"]["result"]
        [slot, *_] = self.monitor.call("GET", "tf-slices", query={"run_number": run, "slice_id": str(result["slice_id"])})
        self.monitor.call("PATCH", f"tf-slices/{slot['id']}", {
            "status": "completed", "processed_at": body["content"]["processed_at"], "metadata": {"result": body["content"]["result"]}})
        self.monitor.call("POST", "system-state-events", {
            "timestamp": naive(), "run_number": run, "event_type": "slice_result", "event_data": {"message": body, "state": "done"}})
        with lock:
            counts["results"] += 1
        if counts["results"] == stf_count * 3 * 5:
            answered.set()


class Transformer(Agent):
    def on_slice(self, body):
        content = body["content"]
        result = {**content, "state": "processed", "processed": True, "actual_processing_time": 0.01}
        self.say("panda.results", {"msg_type": "slice_result", "run_id": body["run_id"], "created_at": naive(), "content": {
            "requested_at": body["created_at"], "processing_start_at": naive(), "processed_at": naive(), "state": "done", "hostname": "here",
            "panda_task_id": "1", "panda_id": "2", "result": {"state": True, "result": result, "error": None}}},
            namespace=namespace, run_id=body["run_id"], msg_type="slice_result", **{"client-id": "transformer.1"})


def run(runner):
    monitor = runner.monitor
    parameters = {"workflow": {"name": "stf_datataking"}, "fast_processing": {"stf_count": stf_count, "slices_per_sample": 5}}
    number = monitor.call("POST", "state/next-workflow-execution-id", {"workflow_name": "stf_datataking"})["sequence"]
    named = {"workflow_name": "stf_datataking", "version": "1.0"}
    if not monitor.call("GET", "workflow-definitions", query=named):
        monitor.call("POST", "workflow-definitions", {**named, "definition": "x" * 11000, "parameter_values": parameters, "created_by": "user"})
    [definition] = monitor.call("GET", "workflow-definitions", query=named)
    monitor.call("POST", "namespaces/ensure", {"name": namespace, "owner": "user"})
    execution = f"stf_datataking-user-{number:04d}"
    monitor.call("POST", "workflow-executions", {
        "execution_id": execution, "workflow_definition": definition["id"], "namespace": namespace, "status": "running",
        "executed_by": "user", "start_time": naive(), "parameter_values": parameters})
    run_id = str(monitor.call("POST", "state/next-run-number")["run_number"])
    monitor.call("POST", "run-states", {
        "run_number": run_id, "phase": "initializing", "state": "imminent", "slices_created": 0, "state_changed_at": naive(),
        "metadata": {"execution_id": execution}})
    base = {"namespace": namespace, "execution_id": execution, "run_id": run_id, "state": "run", "substate": "physics"}
    runner.say("epictopic", {**base, "msg_type": "run_imminent", "timestamp": naive()})
    time.sleep(0.5)
    runner.say("epictopic", {**base, "msg_type": "start_run", "timestamp": naive()})
    for sequence in range(1, stf_count + 1):
        counts["stf"] += 1
        runner.say("epictopic", {**base, "msg_type": "stf_gen", "filename": f"swf.{run_id}.{sequence:06d}.stf", "sequence": sequence, "timestamp": naive()})
        time.sleep(0.05)
    answered.wait(120)
    runner.say("epictopic", {**base, "msg_type": "end_run", "total_stf_files": stf_count, "timestamp": naive()})
    time.sleep(0.5)
    monitor.call("PATCH", f"workflow-executions/{execution}", {"status": "completed", "end_time": naive()})
    return execution


agents = [Data("DATA", "/topic/epictopic"), Fastmon("fastmon", "/topic/epictopic"), FastProcessing("Fast_Processing", "/topic/epictopic"),
          Results("Fast_Processing", "/topic/panda.results"), Transformer("transformer", "/topic/panda.slices")]
execution = run(Agent("DAQ_Simulator"))
for agent in agents:
    agent.beat("EXITED")
print(json.dumps({"execution_id": execution, **counts}), flush=True)
os._exit(0)
