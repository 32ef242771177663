//! System calls without an effect, to find out whether the system allows them. A sandbox refuses a
//! call before the kernel checks its arguments.

use std::io;

use crate::host::system::{
    self,
    probe::{How, Probe},
};

/// Returns the first system call that is refused with an error of this kind.
pub fn refused(
    among: &[Probe],
    is_refusal: impl Fn(&io::Error) -> bool,
) -> Option<(&'static str, io::Error)> {
    among.iter().find_map(|probe| {
        let outcome = match probe.how {
            How::OnNothing(number, buffers) => system::call_on_nothing(number, buffers),
            How::By(how) => how(),
        };
        if outcome != -1 {
            return None;
        }
        let why = io::Error::last_os_error();
        is_refusal(&why).then_some((probe.name, why))
    })
}
