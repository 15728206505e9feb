//! Feature gates: which release knows which, as data.
//!
//! Facts: what `featuregate.GetAll` answers once pkg/features and the gates of
//! logs and metrics are registered, in k8s.io/kubernetes v1.31.14, v1.32.10,
//! v1.33.6, v1.34.4, v1.35.4, v1.36.3 and v1.37.2. API server,
//! controller-manager, scheduler, kubelet and kube-proxy share one set.

/// A feature gate in the releases that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// The first minor version that knows it; the oldest that was looked at
    /// where an earlier one may, too.
    pub since: u64,
    /// From which minor version on only this value is taken.
    pub locked: Option<(u64, bool)>,
    /// The first minor version that no longer knows it, and what it was by
    /// default before: that is how it is now.
    pub gone: Option<(u64, bool)>,
}

const ON: bool = true;
const OFF: bool = false;

const fn gate(name: &'static str) -> Gate {
    Gate {
        name,
        since: 31,
        locked: None,
        gone: None,
    }
}

impl Gate {
    const fn since(mut self, minor: u64) -> Self {
        self.since = minor;
        self
    }

    const fn locked(mut self, minor: u64, value: bool) -> Self {
        self.locked = Some((minor, value));
        self
    }

    const fn gone(mut self, minor: u64, value: bool) -> Self {
        self.gone = Some((minor, value));
        self
    }
}

/// The gate of a name, if any release knows it.
pub fn find(name: &str) -> Option<&'static Gate> {
    GATES.iter().find(|gate| gate.name == name)
}

/// Every gate, by name.
pub const GATES: &[Gate] = &[
    gate("APIListChunking").locked(31, ON).gone(33, ON),
    gate("APIResponseCompression"),
    gate("APIServerIdentity"),
    gate("APIServerTracing").locked(34, ON).gone(37, ON),
    gate("APIServerWebhookAuthenticationToken").since(37),
    gate("APIServingWithRoutine"),
    gate("AdmissionWebhookMatchConditions")
        .locked(31, ON)
        .gone(33, ON),
    gate("AggregatedDiscoveryEndpoint")
        .locked(31, ON)
        .gone(33, ON),
    gate("AggregatedDiscoveryRemoveBetaType")
        .since(33)
        .locked(35, ON),
    gate("AllAlpha"),
    gate("AllBeta"),
    gate("AllowDNSOnlyNodeCSR"),
    gate("AllowInsecureKubeletCertificateSigningRequests"),
    gate("AllowOverwriteTerminationGracePeriodSeconds")
        .since(32)
        .locked(35, OFF),
    gate("AllowParsingUserUIDFromCertAuth").since(33),
    gate("AllowServiceExternalIPs").since(36),
    gate("AllowServiceLBStatusOnNonLB")
        .locked(32, OFF)
        .gone(35, OFF),
    gate("AllowUnsafeMalformedObjectDeletion").since(32),
    gate("AnonymousAuthConfigurableEndpoints")
        .locked(34, ON)
        .gone(37, ON),
    gate("AnyVolumeDataSource").locked(33, ON).gone(37, ON),
    gate("AppArmor").locked(31, ON).gone(33, ON),
    gate("AppArmorFields").locked(31, ON).gone(33, ON),
    gate("AtomicFIFO").since(36),
    gate("AtomicWriteVolumeUserFields").since(37),
    gate("AuthorizeNodeWithSelectors")
        .locked(34, ON)
        .gone(37, ON),
    gate("AuthorizePodWebsocketUpgradeCreatePermission").since(35),
    gate("AuthorizeWithSelectors").locked(34, ON).gone(37, ON),
    gate("BtreeWatchCache")
        .since(32)
        .locked(33, ON)
        .gone(37, ON),
    gate("CBORServingAndStorage").since(32),
    gate("CPUManager").locked(31, ON).gone(33, ON),
    gate("CPUManagerPolicyAlphaOptions"),
    gate("CPUManagerPolicyBetaOptions"),
    gate("CPUManagerPolicyOptions").locked(33, ON),
    gate("CRDObservedGenerationTracking").since(35),
    gate("CRDValidationRatcheting").locked(33, ON),
    gate("CRIListStreaming").since(36),
    gate("CSIMigrationPortworx").locked(33, ON).gone(36, ON),
    gate("CSIServiceAccountTokenSecrets")
        .since(35)
        .locked(36, ON),
    gate("CSIVolumeHealth"),
    gate("ChangeContainerStatusOnKubeletRestart").since(35),
    gate("ClearingNominatedNodeNameAfterBinding").since(34),
    gate("ClientsAllowCARotation").since(36),
    gate("ClientsAllowCBOR").since(32),
    gate("ClientsAllowTLSCacheGC").since(36),
    gate("ClientsPreferCBOR").since(32),
    gate("CloudControllerManagerWatchBasedRoutesReconciliation").since(35),
    gate("CloudControllerManagerWebhook"),
    gate("CloudDualStackNodeIPs").locked(31, ON).gone(32, ON),
    gate("ClusterTrustBundle"),
    gate("ClusterTrustBundleProjection"),
    gate("ComponentFlagz").since(32),
    gate("ComponentSLIs").locked(32, ON).gone(35, ON),
    gate("ComponentStatusz").since(32),
    gate("CompositePodGroup").since(37),
    gate("ConcurrentWatchObjectDecode"),
    gate("ConsistentListFromCache").locked(34, ON).gone(37, ON),
    gate("ConsistentListFromCacheSkipTimeoutFallback").since(37),
    gate("ConstrainedImpersonation").since(35),
    gate("ContainerCheckpoint"),
    gate("ContainerRestartRules").since(34),
    gate("ContainerStopSignals").since(33),
    gate("ContextualLogging"),
    gate("ControllerManagerReleaseLeaderElectionLockOnExit").since(36),
    gate("CoordinatedLeaderElection"),
    gate("CronJobsScheduledAnnotation")
        .locked(32, ON)
        .gone(35, ON),
    gate("CrossNamespaceVolumeDataSource"),
    gate("CustomCPUCFSQuotaPeriod"),
    gate("CustomResourceFieldSelectors").locked(32, ON),
    gate("DRAAdminAccess").since(32).locked(36, ON),
    gate("DRAConsumableCapacity").since(34),
    gate("DRAControlPlaneController").gone(32, OFF),
    gate("DRADerivedAttributes").since(37),
    gate("DRADeviceBindingConditions").since(34),
    gate("DRADeviceCompatibilityGroups").since(37),
    gate("DRADeviceTaintRules").since(35),
    gate("DRADeviceTaints").since(33),
    gate("DRAExtendedResource").since(34).locked(37, ON),
    gate("DRAFractionalCapacityRange").since(37),
    gate("DRAListTypeAttributes").since(36),
    gate("DRANodeAllocatableResources").since(36),
    gate("DRAOptionalNodeOperations").since(37),
    gate("DRAPartitionableDevices").since(33),
    gate("DRAPartitionableDevicesType").since(37),
    gate("DRAPrioritizedList").since(33).locked(37, ON),
    gate("DRAResourceClaimDeviceStatus")
        .since(32)
        .locked(37, ON),
    gate("DRAResourceClaimGranularStatusAuthorization").since(36),
    gate("DRAResourcePoolStatus").since(36),
    gate("DRASchedulerFilterTimeout").since(34),
    gate("DRAWorkloadResourceClaims").since(36),
    gate("DeclarativeValidation").since(33).locked(36, ON),
    gate("DeclarativeValidationBeta").since(36),
    gate("DeclarativeValidationTakeover")
        .since(33)
        .locked(37, OFF),
    gate("DefaultPodSysctls").since(37),
    gate("DeploymentReplicaSetTerminatingReplicas").since(33),
    gate("DetectCacheInconsistency").since(34),
    gate("DevicePluginCDIDevices").locked(31, ON).gone(34, ON),
    gate("DisableAllocatorDualWrite").locked(35, ON),
    gate("DisableCPUQuotaWithExclusiveCPUs")
        .since(33)
        .locked(37, ON),
    gate("DisableCloudProviders").locked(31, ON).gone(33, ON),
    gate("DisableKubeletCloudCredentialProviders")
        .locked(31, ON)
        .gone(33, ON),
    gate("DisableNodeKubeProxyVersion").locked(36, ON),
    gate("DynamicResourceAllocation").locked(35, ON),
    gate("EfficientWatchResumption").locked(31, ON).gone(33, ON),
    gate("ElasticIndexedJob").locked(31, ON).gone(34, ON),
    gate("EmptyDirVolumeMode").since(37),
    gate("EnvFiles").since(34),
    gate("EtcdRangeStream").since(37),
    gate("EventedPLEG"),
    gate("EvictionRequestAPI").since(37),
    gate("ExcludeAdmissionWebhookVirtualResources").since(37),
    gate("ExecProbeTimeout").locked(35, ON),
    gate("ExtendWebSocketsToKubelet").since(36),
    gate("ExternalServiceAccountTokenSigner")
        .since(32)
        .locked(36, ON),
    gate("GRPCContainerProbeTLS").since(37),
    gate("GangScheduling").since(35).gone(37, OFF),
    gate("GenericWorkload").since(35),
    gate("GitRepoVolumeDriver").since(33).locked(36, OFF),
    gate("GracefulNodeShutdown"),
    gate("GracefulNodeShutdownBasedOnPodPriority"),
    gate("H2CContainerProbe").since(37),
    gate("HPAConfigurableTolerance").since(33).locked(37, ON),
    gate("HPAContainerMetrics").locked(31, ON).gone(32, ON),
    gate("HPAGeneration").since(37),
    gate("HPAOptimizedSelectorStore").since(37),
    gate("HPAScaleToZero"),
    gate("HonorPVReclaimPolicy").locked(33, ON).gone(36, ON),
    gate("HostnameOverride").since(34).locked(37, ON),
    gate("HugepageAwareEviction").since(37),
    gate("ImageMaximumGCAge").locked(35, ON),
    gate("ImageVolume").locked(36, ON),
    gate("ImageVolumeWithDigest").since(36),
    gate("InOrderInformers").since(33).locked(36, ON),
    gate("InOrderInformersBatchProcess").since(35),
    gate("InPlacePodLevelResourcesVerticalScaling").since(35),
    gate("InPlacePodVerticalScaling").locked(35, ON),
    gate("InPlacePodVerticalScalingAllocatedStatus")
        .since(32)
        .gone(36, OFF),
    gate("InPlacePodVerticalScalingExclusiveCPUs").since(32),
    gate("InPlacePodVerticalScalingExclusiveMemory").since(34),
    gate("InPlacePodVerticalScalingInitContainers")
        .since(36)
        .locked(37, ON),
    gate("InPlacePodVerticalScalingMemoryBackedVolumes").since(37),
    gate("InPlacePodVerticalScalingSchedulerPreemption").since(37),
    gate("InTreePluginPortworxUnregister").gone(36, OFF),
    gate("InformerResourceVersion"),
    gate("InterPodAffinityHostnameFastPath").since(37),
    gate("JobBackoffLimitPerIndex").locked(33, ON).gone(37, ON),
    gate("JobManagedBy").locked(35, ON),
    gate("JobPodFailurePolicy").locked(31, ON).gone(33, ON),
    gate("JobPodReplacementPolicy").locked(34, ON).gone(37, ON),
    gate("JobSuccessPolicy").locked(33, ON).gone(37, ON),
    gate("KMSv1"),
    gate("KMSv2").locked(31, ON).gone(32, ON),
    gate("KMSv2KDF").locked(31, ON).gone(32, ON),
    gate("KubeProxyDrainingTerminatingNodes")
        .locked(31, ON)
        .gone(33, ON),
    gate("KubeProxyIPVS").since(37),
    gate("KubeProxyNFTablesLocalhostNodePorts").since(37),
    gate("KubeletAllocatedPodsEndpoint").since(37),
    gate("KubeletCgroupDriverFromCRI").locked(34, ON),
    gate("KubeletCrashLoopBackOffMax").since(32),
    gate("KubeletEnsureSecretPulledImages").since(33),
    gate("KubeletFineGrainedAuthz").since(32).locked(36, ON),
    gate("KubeletInUserNamespace"),
    gate("KubeletPSI").since(33).locked(36, ON),
    gate("KubeletPodResourcesDynamicResources").locked(36, ON),
    gate("KubeletPodResourcesGet").locked(36, ON),
    gate("KubeletPodResourcesListUseActivePods").since(34),
    gate("KubeletRegistrationGetOnExistsOnly").since(32),
    gate("KubeletSeparateDiskGC"),
    gate("KubeletServiceAccountTokenForCredentialProviders").since(33),
    gate("KubeletTracing").locked(34, ON),
    gate("LegacyServiceAccountTokenCleanUp")
        .locked(31, ON)
        .gone(32, ON),
    gate("LegacySidecarContainers").since(33).gone(34, OFF),
    gate("ListFromCacheSnapshot").since(33),
    gate("LoadBalancerIPMode").locked(32, ON).gone(35, ON),
    gate("LocalStorageCapacityIsolationFSQuotaMonitoring"),
    gate("LogarithmicScaleDown").locked(31, ON).gone(37, ON),
    gate("LoggingAlphaOptions"),
    gate("LoggingBetaOptions"),
    gate("ManifestBasedAdmissionControlConfig").since(36),
    gate("MatchLabelKeysInPodAffinity").locked(33, ON),
    gate("MatchLabelKeysInPodTopologySpread"),
    gate("MatchLabelKeysInPodTopologySpreadSelectorMerge").since(34),
    gate("MaxUnavailableStatefulSet"),
    gate("MemoryManager").locked(32, ON).gone(36, ON),
    gate("MemoryQoS"),
    gate("MinDomainsInPodTopologySpread")
        .locked(31, ON)
        .gone(32, ON),
    gate("MultiCIDRServiceAllocator").locked(34, ON),
    gate("MutableCSINodeAllocatableCount")
        .since(33)
        .locked(36, ON),
    gate("MutablePVNodeAffinity").since(35),
    gate("MutablePodResourcesForSuspendedJobs").since(35),
    gate("MutableSchedulingDirectivesForSuspendedJobs").since(35),
    gate("MutatingAdmissionPolicy"),
    gate("NFTablesNetlink").since(37),
    gate("NFTablesProxyMode").locked(33, ON),
    gate("NativeHistograms").since(36),
    gate("NewVolumeManagerReconstruction")
        .locked(31, ON)
        .gone(32, ON),
    gate("NodeControllerLeaseCircuitBreaker").since(37),
    gate("NodeDeclaredFeatures").since(35).locked(37, ON),
    gate("NodeInclusionPolicyInPodTopologySpread").locked(33, ON),
    gate("NodeLifecycleConditions").since(37),
    gate("NodeLogQuery").locked(36, ON),
    gate("NodeOutOfServiceVolumeDetach")
        .locked(31, ON)
        .gone(32, ON),
    gate("NodeSwap").locked(34, ON),
    gate("NominatedNodeNameForExpectation").since(34),
    gate("OpenAPIEnums"),
    gate("OpportunisticBatching").since(35),
    gate("OrderedNamespaceDeletion").locked(34, ON).gone(37, ON),
    gate("PDBUnhealthyPodEvictionPolicy")
        .locked(31, ON)
        .gone(33, ON),
    gate("PLEGOnDemandRelist").since(36).locked(37, ON),
    gate("PersistentVolumeClaimUnusedSinceTime").since(36),
    gate("PersistentVolumeLastPhaseTransitionTime")
        .locked(31, ON)
        .gone(33, ON),
    gate("PodAndContainerStatsFromCRI"),
    gate("PodCertificateRequest").since(34),
    gate("PodDeletionCost"),
    gate("PodDisruptionConditions").locked(31, ON).gone(34, ON),
    gate("PodGroupPreemptionPolicy").since(37),
    gate("PodHostIPs").locked(31, ON).gone(32, ON),
    gate("PodIndexLabel").locked(32, ON).gone(35, ON),
    gate("PodLevelResourceManagers").since(36),
    gate("PodLevelResources").since(32),
    gate("PodLevelResourcesFixDefaulting").since(37),
    gate("PodLevelResourcesFixKubeletQOSClass").since(37),
    gate("PodLifecycleSleepAction").locked(34, ON).gone(37, ON),
    gate("PodLifecycleSleepActionAllowZero")
        .since(32)
        .locked(34, ON)
        .gone(37, ON),
    gate("PodLogsQuerySplitStreams").since(32),
    gate("PodObservedGenerationTracking")
        .since(33)
        .locked(35, ON),
    gate("PodReadyToStartContainersCondition").locked(37, ON),
    gate("PodSchedulingReadiness").locked(31, ON),
    gate("PodTopologyLabelsAdmission").since(33),
    gate("PodsAPI").since(36),
    gate("PortForwardWebsockets"),
    gate("PreferSameTrafficDistribution")
        .since(33)
        .locked(35, ON),
    gate("PreventStaticPodAPIReferences").since(34).gone(37, ON),
    gate("ProbeHostPodSecurityStandards")
        .since(34)
        .locked(34, ON)
        .gone(35, ON),
    gate("ProcMountType").locked(36, ON),
    gate("QOSReserved"),
    gate("RecoverVolumeExpansionFailure").locked(34, ON),
    gate("RecursiveReadOnlyMounts").locked(33, ON),
    gate("ReduceDefaultCrashLoopBackOffDecay").since(33),
    gate("RelaxedDNSSearchValidation")
        .since(32)
        .locked(34, ON)
        .gone(37, ON),
    gate("RelaxedEnvironmentVariableValidation").locked(34, ON),
    gate("RelaxedServiceNameValidation")
        .since(34)
        .locked(37, ON),
    gate("ReloadKubeletClientCAFile").since(36),
    gate("ReloadKubeletServerCertificateFile"),
    gate("RemainingItemCount").locked(31, ON).gone(33, ON),
    gate("RemoteRequestHeaderUID").since(32),
    gate("ResilientWatchCacheInitialization")
        .locked(34, ON)
        .gone(37, ON),
    gate("ResourceHealthStatus"),
    gate("ResourceHealthStatusMessage").since(36),
    gate("RestartAllContainersOnContainerExits").since(35),
    gate("RetryGenerateName").locked(32, ON).gone(37, ON),
    gate("RotateKubeletServerCertificate"),
    gate("RuntimeClassInImageCriApi"),
    gate("SELinuxChangePolicy").since(32).locked(36, ON),
    gate("SELinuxMount"),
    gate("SELinuxMountReadWriteOncePod").locked(36, ON),
    gate("SchedulerAsyncAPICalls").since(34),
    gate("SchedulerAsyncPreemption").since(32),
    gate("SchedulerPopFromBackoffQ").since(33),
    gate("SchedulerPreQueueingHints").since(37),
    gate("SchedulerQueueingHints").locked(34, ON).gone(37, ON),
    gate("SeparateCacheWatchRPC").locked(36, OFF),
    gate("SeparateTaintEvictionController").locked(34, ON),
    gate("ServerSideApply").locked(31, ON).gone(32, ON),
    gate("ServerSideFieldValidation")
        .locked(31, ON)
        .gone(32, ON),
    gate("ServiceAccountNodeAudienceRestriction").since(32),
    gate("ServiceAccountTokenJTI").locked(32, ON),
    gate("ServiceAccountTokenNodeBinding").locked(33, ON),
    gate("ServiceAccountTokenNodeBindingValidation").locked(32, ON),
    gate("ServiceAccountTokenPodNodeInfo").locked(32, ON),
    gate("ServiceCIDRStatusFieldWiping").since(36),
    gate("ServiceTrafficDistribution")
        .locked(33, ON)
        .gone(36, ON),
    gate("ShardedListAndWatch").since(36),
    gate("SidecarContainers").locked(33, ON).gone(37, ON),
    gate("SizeBasedListCostEstimate").since(34),
    gate("SizeMemoryBackedVolumes").locked(32, ON).gone(35, ON),
    gate("StableLoadBalancerNodeSet")
        .locked(31, ON)
        .gone(32, ON),
    gate("StaleControllerConsistencyDaemonSet").since(36),
    gate("StaleControllerConsistencyHPA").since(37),
    gate("StaleControllerConsistencyJob").since(36),
    gate("StaleControllerConsistencyReplicaSet").since(36),
    gate("StaleControllerConsistencyStatefulSet").since(36),
    gate("StatefulSetAutoDeletePVC").locked(32, ON).gone(35, ON),
    gate("StatefulSetRecreateStrategy").since(37),
    gate("StatefulSetSemanticRevisionComparison").since(34),
    gate("StatefulSetStartOrdinal").locked(31, ON).gone(34, ON),
    gate("StorageCapacityScoring").since(33),
    gate("StorageNamespaceIndex"),
    gate("StorageVersionAPI"),
    gate("StorageVersionHash"),
    gate("StorageVersionMigrator"),
    gate("StreamingCollectionEncodingToJSON")
        .since(33)
        .locked(34, ON)
        .gone(37, ON),
    gate("StreamingCollectionEncodingToProtobuf")
        .since(33)
        .locked(34, ON)
        .gone(37, ON),
    gate("StrictCostEnforcementForVAP")
        .locked(32, ON)
        .gone(35, ON),
    gate("StrictCostEnforcementForWebhooks")
        .locked(32, ON)
        .gone(35, ON),
    gate("StrictIPCIDRValidation").since(33),
    gate("StructuredAuthenticationConfiguration")
        .locked(34, ON)
        .gone(37, ON),
    gate("StructuredAuthenticationConfigurationEgressSelector").since(34),
    gate("StructuredAuthenticationConfigurationJWKSMetrics").since(35),
    gate("StructuredAuthorizationConfiguration")
        .locked(32, ON)
        .gone(36, ON),
    gate("SupplementalGroupsPolicy").locked(35, ON),
    gate("SystemdWatchdog").since(32).locked(35, ON),
    gate("TaintTolerationComparisonOperators").since(35),
    gate("TokenRequestServiceAccountUIDValidation").since(34),
    gate("TopologyAwareHints").locked(33, ON).gone(36, ON),
    gate("TopologyAwareWorkloadScheduling").since(36),
    gate("TopologyManagerPolicyAlphaOptions"),
    gate("TopologyManagerPolicyBetaOptions"),
    gate("TopologyManagerPolicyOptions").locked(36, ON),
    gate("TranslateStreamCloseWebsocketRequests"),
    gate("UnauthenticatedHTTP2DOSMitigation"),
    gate("UnknownVersionInteroperabilityProxy"),
    gate("UnlockWhileProcessingFIFO").since(36),
    gate("UserNamespacesHostNetworkSupport").since(35),
    gate("UserNamespacesPodSecurityStandards").gone(35, OFF),
    gate("UserNamespacesSupport").locked(36, ON),
    gate("ValidatingAdmissionPolicy")
        .locked(31, ON)
        .gone(32, ON),
    gate("VolumeAttributesClass").locked(36, ON),
    gate("VolumeBindMountOptions").since(37),
    gate("VolumeCapacityPriority").gone(33, OFF),
    gate("VolumeLimitScaling").since(35),
    gate("WatchBookmark").locked(31, ON).gone(33, ON),
    gate("WatchCacheInitializationPostStartHook").locked(37, ON),
    gate("WatchFromStorageWithoutResourceVersion")
        .locked(33, OFF)
        .gone(36, OFF),
    gate("WatchList"),
    gate("WatchListClient"),
    gate("WatchListCompression").since(37),
    gate("WebhookRoundTripLoadBalancing").since(37),
    gate("WinDSR").locked(34, ON),
    gate("WinOverlay").locked(34, ON),
    gate("WindowsCPUAndMemoryAffinity").since(32),
    gate("WindowsGracefulNodeShutdown").since(32),
    gate("WindowsHostNetwork"),
    gate("WorkloadAwarePreemption").since(36).gone(37, OFF),
    gate("WorkloadWithJob").since(36),
    gate("ZeroLimitedNominalConcurrencyShares")
        .locked(31, ON)
        .gone(32, ON),
];
