from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobFailed
from tests.activities.scene import Scene


async def test_a_job_whose_reservation_is_gone_ends_with_its_rollback(scene: Scene) -> None:
    staged = await scene.stage()
    scene.drop(scene.keys.reservation(scene.collection))
    await scene.roll_back(staged.plan.job_id, "its reservation is gone")
    job = CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(int(staged.plan.job_id))))
    assert (job.state, job.reason) == (CopySegmentJobFailed, "its reservation is gone")
    assert job.cleanup_ts > 0
    assert scene.image().objects == {}
