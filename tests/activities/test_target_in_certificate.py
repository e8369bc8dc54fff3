import json

import pytest

from restore.target_origin import TargetOrigin
from tests.activities.scene import TARGET, Scene


@pytest.mark.parametrize("made", [True, False])
async def test_the_certificate_tells_who_made_the_target(scene: Scene, made: bool) -> None:
    staged = await scene.stage()
    if made:
        origin = TargetOrigin(
            job_id=staged.plan.job_id,
            database="default",
            collection=TARGET,
            collection_id=scene.collection,
        )
        scene.clients.origins("default", staged.plan.job_id).put(origin)
    await scene.publish(staged)
    certified = await scene.complete(staged)
    certificate = json.loads(scene.body(certified.uri.removeprefix(f"s3://{scene.bucket}/")))
    assert certificate["target_created"] is made
