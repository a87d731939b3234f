//! Options for the media server of OpenVidu, which both families of paths read.

use greenroom_core::model::connection::KurentoOptions;
use greenroom_http::dialect::openvidu::WrongType;
use greenroom_openvidu::Fields;

/// The options of a request, and no other keys of it. `on_wrong` decides whether a value of a wrong type is an error or
/// counts as absent.
pub(crate) fn read<E>(given: &Fields<'_>, on_wrong: impl Fn(WrongType) -> Result<(), E>) -> Result<KurentoOptions, E> {
    let bandwidth = |name| given.integer(name).or_else(|wrong| on_wrong(wrong).map(|()| None));
    let filters = given.texts("allowedFilters").or_else(|wrong| on_wrong(wrong).map(|()| None));
    Ok(KurentoOptions {
        video_max_recv_bandwidth: bandwidth("videoMaxRecvBandwidth")?,
        video_min_recv_bandwidth: bandwidth("videoMinRecvBandwidth")?,
        video_max_send_bandwidth: bandwidth("videoMaxSendBandwidth")?,
        video_min_send_bandwidth: bandwidth("videoMinSendBandwidth")?,
        allowed_filters: filters?.unwrap_or_default(),
    })
}
