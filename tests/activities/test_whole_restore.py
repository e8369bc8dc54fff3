from samples.proof import prove
from tests.activities.scene import Scene


async def test_a_restore_by_its_steps_is_proved(scene: Scene) -> None:
    before = {key: value for key, (value, _) in scene.image().records.items()}
    await scene.finish()
    proof = prove(
        scene.s3,
        lambda prefix: [(each.key, each.value) for each in scene.metadata.scan(prefix)],
        scene.written,
        before,
        collection_id=scene.collection,
        bucket=scene.bucket,
        meta=f"{scene.root}/meta",
    )
    assert proof.differences == []
    assert proof.ok
