//! To come: lb.
