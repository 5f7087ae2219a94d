namespace StickyWs.Observability;

/// <summary>The ids of all log events, roughly one block of a hundred per room.</summary>
internal static class EventIds
{
    // Hosting
    public const int ConfigurationRefused = 100;
    public const int ConfigurationApplied = 101;
    public const int TunnelsEndedAtShutdown = 102;
    public const int TunnelsLeftAtShutdown = 103;
    public const int ConfigurationInvalid = 104;
    public const int SectionMisspelt = 105;
    public const int NoPools = 106;
    public const int PipelineForgotten = 107;
    public const int NotReady = 108;
    public const int ShutdownTooShort = 109;
    public const int TunnelsDoNotFit = 110;
    public const int TlsInRawLane = 111;
    public const int TlsInKestrel = 112;
    public const int KeyReloadFailed = 113;
    public const int PoolNotDirect = 114;
    public const int RouteHidden = 115;

    // Backends
    public const int BackendAdded = 200;
    public const int BackendRemoved = 201;
    public const int BackendStateChanged = 202;
    public const int BackendsAwaited = 203;
    public const int BackendsKnown = 204;
    public const int NewBackendsUnhealthy = 205;
    public const int BackendWeightChanged = 206;
    public const int BackendSpared = 210;

    // Draining
    public const int HandOffBegun = 230;
    public const int BackendEmpty = 231;
    public const int BackendCut = 232;
    public const int DrainFailed = 233;
    public const int GoodbyeFailed = 234;
    public const int RebalanceBegun = 235;
    public const int RebalanceEnded = 236;
    public const int RebalanceFailed = 237;
    public const int DownBackendLeft = 238;
    public const int DownBackendBack = 239;
    public const int DownBackendCut = 240;
    public const int DownBackendFailed = 241;
    public const int OutliersFailed = 242;

    // Health
    public const int ProbeFailed = 300;
    public const int BreakerFailed = 301;
    public const int ProbeLoopFailed = 302;
    public const int HealthFollowFailed = 303;
    public const int FirstProbeFailed = 304;
    public const int BackendUnreachable = 305;
    public const int VerdictNotCounted = 306;

    // Dispatch
    public const int PolicyMisbehaved = 400;
    public const int QueueRefused = 401;

    // Forwarding
    public const int DialFailed = 500;
    public const int HandshakeRefused = 501;
    public const int TunnelOpened = 502;
    public const int TunnelEnded = 503;
    public const int OutOfResources = 504;
    public const int PassthroughRefused = 505;
    public const int BackendTlsInPortableLane = 506;
    public const int TunnelListenerFailed = 507;
    public const int BackendSuspected = 508;
    public const int TunnelSweepFailed = 510;

    // Access
    public const int TunnelLine = 530;
    public const int HandshakeLine = 531;
    public const int RequestLine = 532;
    public const int LinesDropped = 533;
    public const int AccessListenerFailed = 534;

    // Proxying
    public const int RequestRetried = 600;
    public const int RequestFailed = 601;
    public const int UpgradeNotProxied = 710;
    public const int BackendFailedClient = 620;
    public const int BackendFailedClients = 621;

    // Connections
    public const int HeadTimedOut = 700;
    public const int ConnectionFailed = 701;
    public const int TlsHandshakeFailed = 702;
    public const int ClientHelloRefused = 703;
    public const int TlsPassedThrough = 704;

    // Transport
    public const int RawLaneOn = 800;
    public const int RawLaneOff = 801;
    public const int ReactorFailed = 802;
    public const int CannotAccept = 803;
    public const int ConnectionBroke = 804;
    public const int CloseHandlerFailed = 805;
    public const int DescriptorsShort = 815;
    public const int DescriptorsFree = 816;
    public const int AcceptFailed = 817;
    public const int ListenerBlind = 818;
    public const int ListenerHandedOver = 819;
    public const int ListenerGivenUp = 820;
    public const int ArrivalFailed = 821;

    // Affinity
    public const int PinStoreLost = 900;
    public const int PinStoreBack = 901;
    public const int CookieKeysEphemeral = 902;
    public const int CookieNotSealed = 903;
}
