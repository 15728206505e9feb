//! To come: kubeadm.
