namespace StickyWs.Tunnels;

/// <summary>What a tunnel had carried when somebody looked, and how many bytes a second since the look before, if there was one.</summary>
internal sealed record TunnelLook(long At, long ToBackend, long ToClient, (double ToBackend, double ToClient)? Rate);
