using StickyWs.Pinning;


namespace StickyWs.Tests.Affinity;

/// <summary>As the end of a lease calls it.</summary>
internal static class PinsCalls
{
    public static void Renew(this Pins pins, PinKey key, string backend, TimeSpan lifetime) => _ = pins.RenewAsync(key, backend, lifetime).AsTask();
}
