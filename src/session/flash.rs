//! Flash messages: lists under `_f_` and the queue's name, as Pyramid keeps them.

use serde_json::Value;

use super::Session;

/// What the keys of all queues begin with.
const QUEUES: &str = "_f_";

impl Session {
    /// The key that holds a queue; the usual queue's name is empty.
    ///
    /// ```
    /// use sitewright::session::Session;
    /// assert_eq!(Session::flash_key("warning"), "_f_warning");
    /// ```
    #[must_use]
    pub fn flash_key(queue: &str) -> String {
        format!("{QUEUES}{queue}")
    }

    /// The messages of a queue, oldest first; `peek_flash` of Pyramid.
    #[must_use]
    pub fn peek_flash(&self, queue: &str) -> Vec<Value> {
        match self.get(&[Self::flash_key(queue)]) {
            Some(Value::Array(messages)) => messages,
            _ => Vec::new(),
        }
    }

    /// Takes the messages of a queue, oldest first. Nothing changes if there is no such queue, where
    /// `pop_flash` of Pyramid has the session stored all the same.
    pub fn pop_flash(&mut self, queue: &str) -> Vec<Value> {
        let messages = self.peek_flash(queue);
        if !messages.is_empty() {
            self.remove(&[Self::flash_key(queue)]);
        }
        messages
    }

    /// The names of the queues that hold messages, in the order in which they were begun.
    pub fn flash_queues(&self) -> impl Iterator<Item = &str> {
        let names = self.keys().filter_map(|key| key.strip_prefix(QUEUES));
        names.filter(|queue| !self.peek_flash(queue).is_empty())
    }

    /// Takes all messages of all queues.
    pub fn pop_all_flash(&mut self) {
        let queues: Vec<String> = self.flash_queues().map(str::to_owned).collect();
        for queue in queues {
            self.pop_flash(&queue);
        }
    }
}
