"""Reads messages (JSON, one per line) as Cinder's services do, and prints what each saw (JSON, one per line)."""
import inspect
import json
import logging
import sys
import warnings

warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)

from cinder import context as cinder_context  # noqa: E402
from cinder import objects  # noqa: E402

objects.register_all()

from cinder.objects import base  # noqa: E402
from cinder.scheduler import manager as scheduler_manager  # noqa: E402
from cinder.volume import manager as volume_manager  # noqa: E402

MANAGERS = {
    'cinder-volume': volume_manager.VolumeManager,
    'cinder-scheduler': scheduler_manager.SchedulerManager,
}


def see(value):
    """A value with its Python type where that is not plain JSON's."""
    if isinstance(value, base.CinderObject):
        fields = {
            name: see(getattr(value, name))
            for name in sorted(value.fields)
            if value.obj_attr_is_set(name)
        }
        return {'object': value.obj_name(), 'version': value.VERSION, 'fields': fields}
    if isinstance(value, dict):
        return {key: see(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [see(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def read(message):
    wire = {k[len('_context_'):]: v for k, v in message.items() if k.startswith('_context_')}
    context = cinder_context.RequestContext.from_dict(wire)
    serializer = base.CinderObjectSerializer()
    args = {name: serializer.deserialize_entity(context, value) for name, value in message['args'].items()}
    method = inspect.unwrap(getattr(MANAGERS[message['topic']], message['method']))
    inspect.signature(method).bind(None, context, **args)
    seen = {'args': {name: see(value) for name, value in args.items()}}
    seen['context'] = {
        'request_id': context.request_id,
        'user_id': context.user_id,
        'project_id': context.project_id,
        'is_admin': context.is_admin,
        'roles': context.roles,
        'auth_token': context.auth_token,
        'project_name': context.project_name,
    }
    return seen


def main():
    for line in sys.stdin:
        try:
            answer = read(json.loads(line))
        except Exception as error:  # whatever it is, the test has to hear of it
            answer = {'error': '%s: %s' % (type(error).__name__, error)}
        print(json.dumps(answer, default=str), flush=True)


main()
