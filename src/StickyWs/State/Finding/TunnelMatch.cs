using System.Globalization;
using System.Net;
using StickyWs.Backends;
using StickyWs.Kernel;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Which tunnels fit a filter, by what they know themselves.</summary>
internal sealed class TunnelMatch
{
    private const string Tls = "tls";

    private readonly TunnelFilter _filter;
    private readonly TimeProvider _time;
    private readonly UInt128 _pinFrom;
    private readonly UInt128 _pinTo;

    public TunnelMatch(TunnelFilter filter, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(filter.Limit);
        (_filter, _time) = (filter, time);
        if (filter.Pin is { } pin) (_pinFrom, _pinTo) = (Padded(pin, '0'), Padded(pin, 'f'));
    }

    public bool Fits(Tunnel tunnel) => FitsPlace(tunnel) && FitsEnds(tunnel) && FitsAge(tunnel) && FitsTie(tunnel) && FitsRequest(tunnel);

    public static bool Is(RawAddress address, IPEndPoint wanted) => address.Port == wanted.Port && Plain(address.Address).Equals(Plain(wanted.Address));

    public static bool IsPassedThrough(Tunnel tunnel) => tunnel.Backend.Options.IsPassthrough;

    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private bool FitsPlace(Tunnel tunnel)
        => Fits(tunnel.Backend.Pool, _filter.Pool) && Fits(tunnel.Backend.Name, _filter.Backend)
            && (_filter.Id is null || _filter.Id == tunnel.ConnectionId)
            && (_filter.Lane is not { } lane || FitsLane(tunnel, lane));

    private static bool FitsLane(Tunnel tunnel, string lane)
        => Fits(tunnel.Lane, lane) || (tunnel.Reactor is { } reactor && Fits(reactor.KernelName, lane))
            || (Fits(Tls, lane) && (tunnel.HasClientTls || tunnel.HasBackendTls || IsPassedThrough(tunnel)));

    private bool FitsEnds(Tunnel tunnel)
    {
        if (_filter is { Client: null, ClientPort: null, Local: null, LocalPort: null }) return true;
        if (tunnel.Tuple is not { } tuple) return false;
        return Fits(tuple.Source, _filter.ClientPort) && Fits(tuple.Destination, _filter.LocalPort) && Fits(tuple.Destination, _filter.Local)
            && (Fits(tuple.Source, _filter.Client) || (tunnel.ClientAddress is { } forwarded && _filter.Client!.Value.Contains(Plain(forwarded))));
    }

    private bool FitsAge(Tunnel tunnel)
    {
        if (_filter.MinAge <= TimeSpan.Zero && _filter.MaxAge is null) return true;
        var age = _time.GetElapsedTime(tunnel.OpenedAt);
        return age >= _filter.MinAge && !(age > _filter.MaxAge);
    }

    private bool FitsTie(Tunnel tunnel)
    {
        if (_filter.Tie is { } tie && tie != (TunnelTie)(int)tunnel.Tie) return false;
        return _filter.Pin is null || (tunnel.Pin is var pin && pin != default && pin >= _pinFrom && pin <= _pinTo);
    }

    private bool FitsRequest(Tunnel tunnel)
        => Fits(tunnel.Record?.Host, _filter.Host)
            && (_filter.PathPrefix is not { } prefix || tunnel.Record?.Path?.StartsWith(prefix, StringComparison.Ordinal) == true);

    private static bool Fits(RawAddress address, int? port) => port is null || port == address.Port;

    private static bool Fits(RawAddress address, IPNetwork? network) => network?.Contains(Plain(address.Address)) != false;

    private static bool Fits(string? name, string? wanted) => wanted is null || (name?.Equals(wanted, StringComparison.OrdinalIgnoreCase) == true);

    // What is no number fits nothing.
    private static UInt128 Padded(string pin, char with)
    {
        if (pin.Length > 32 || !UInt128.TryParse(pin.PadRight(32, with), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var key))
            throw new ArgumentException("A pin is up to 32 hexadecimal digits.", nameof(pin));
        return key;
    }
}
