using System.Runtime.InteropServices;
using StickyWs.Backends;
using StickyWs.Kernel;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Counts tunnels by where they come from and where they lead, in one pass.</summary>
internal static class FlowCount
{
    // There are as many as listeners, backends and lanes together make; clients cannot make more.
    private const int Most = 1000;

    public static IReadOnlyList<TunnelFlow> Of(Tunnel[] tunnels)
    {
        var sums = new Dictionary<Key, Sum>();
        foreach (var tunnel in tunnels)
        {
            var key = new Key(tunnel.Tuple?.Destination, tunnel.Backend, tunnel.Lane, tunnel.Reactor?.KernelName, StateReader.TlsOf(tunnel));
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _);
            sum = new Sum(sum.Tunnels + 1, sum.ToBackend + tunnel.BytesToBackend, sum.ToClient + tunnel.BytesToClient);
        }

        return [.. sums.OrderByDescending(flow => flow.Value.Tunnels).Take(Most).Select(flow => Read(flow.Key, flow.Value))];
    }

    private static TunnelFlow Read(Key key, Sum sum) => new()
    {
        Listener = key.Listener?.ToEndPoint(),
        Pool = key.Backend.Pool,
        Backend = key.Backend.Name,
        Lane = key.Lane,
        ReactorKind = key.ReactorKind,
        Tls = key.Tls,
        Tunnels = sum.Tunnels,
        BytesToBackend = sum.ToBackend,
        BytesToClient = sum.ToClient,
    };

    private readonly record struct Key(RawAddress? Listener, Backend Backend, string Lane, string? ReactorKind, string Tls);

    private readonly record struct Sum(int Tunnels, long ToBackend, long ToClient);
}
