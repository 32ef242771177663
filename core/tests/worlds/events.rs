//! Future events, in order.

use std::collections::BTreeMap;

use zelf_core::moment::Moment;

/// Events at the same moment happen in the order in which they were planned.
pub struct Events<E> {
    planned: BTreeMap<(Moment, u64), E>,
    count: u64,
}

impl<E> Default for Events<E> {
    fn default() -> Self {
        Self {
            planned: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<E> Events<E> {
    pub fn plan(&mut self, moment: Moment, event: E) {
        self.planned.insert((moment, self.count), event);
        self.count += 1;
    }

    pub fn next(&mut self) -> Option<(Moment, E)> {
        let ((moment, _), event) = self.planned.pop_first()?;
        Some((moment, event))
    }
}
