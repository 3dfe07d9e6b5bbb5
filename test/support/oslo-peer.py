"""A plain oslo.messaging client and server, unmodified, driven by lines of JSON: one command in, one answer out.

Arguments: transport_url, control_exchange, options of [oslo_messaging_rabbit] as JSON.
"""
import json
import sys
import time

from oslo_config import cfg
import oslo_messaging

try:
    from cinder import exception
    MODULES = ['cinder.exception']
except ImportError:
    exception = None
    MODULES = []

url, exchange, options = sys.argv[1:4]
conf = cfg.CONF
conf([], project='peer', default_config_files=[], default_config_dirs=[])
oslo_messaging.set_transport_defaults(control_exchange=exchange)
transport = oslo_messaging.get_rpc_transport(conf, url=url, allowed_remote_exmods=MODULES)
for name, value in json.loads(options).items():
    conf.set_override(name, value, group='oslo_messaging_rabbit')
seen = []
notified = []
servers = []


class Endpoint(object):
    target = oslo_messaging.Target(version='3.18')

    def echo(self, context, **args):
        return {'args': args, 'context': context}

    def note(self, context, **args):
        seen.append(args)

    def slow(self, context, seconds):
        time.sleep(seconds)
        return 'done'

    def fail(self, context, how):
        if how == 'cinder':
            raise exception.VolumeNotFound(volume_id='v1')
        if how == 'unknown':
            raise LookupError('of no class that anybody knows')
        raise ValueError('a plain one')


class Listener(object):
    def _note(self, priority, context, publisher, event, payload, metadata):
        notified.append({'priority': priority, 'context': context, 'publisher': publisher, 'event': event,
                         'payload': payload, 'metadata': metadata})

    def info(self, *about):
        self._note('info', *about)

    def error(self, *about):
        self._note('error', *about)


def target_of(command):
    keys = ('topic', 'server', 'version', 'fanout', 'namespace')
    return oslo_messaging.Target(**{key: command[key] for key in keys if key in command})


def run(command):
    do = command['do']
    if do == 'serve':
        server = oslo_messaging.get_rpc_server(transport, target_of(command), [Endpoint()], executor='threading')
        server.start()
        servers.append(server)
        return None
    if do == 'listen':
        there = oslo_messaging.get_notification_transport(conf, url=url)
        targets = [oslo_messaging.Target(topic=topic, exchange=exchange) for topic in command['topics']]
        listener = oslo_messaging.get_notification_listener(there, targets, [Listener()], executor='threading')
        listener.start()
        servers.append(listener)
        return None
    if do == 'notified':
        return notified
    if do == 'seen':
        return seen
    client = oslo_messaging.RPCClient(transport, target_of(command), timeout=command.get('timeout', 20),
                                      call_monitor_timeout=command.get('monitor'))
    context, method, args = command.get('context', {}), command['method'], command.get('args', {})
    send = client.call if do == 'call' else client.cast
    return send(context, method, **args)


def main():
    print(json.dumps({'result': {'cinder': exception is not None}}), flush=True)
    for line in sys.stdin:
        try:
            answer = {'result': run(json.loads(line))}
        except Exception as error:
            kind = type(error)
            answer = {'error': {'class': kind.__name__, 'module': kind.__module__, 'message': str(error),
                                'bases': [base.__name__ for base in kind.__mro__],
                                'kwargs': getattr(error, 'kwargs', None)}}
        print(json.dumps(answer), flush=True)
    for server in servers:
        server.stop()


main()
