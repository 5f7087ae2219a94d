using System.Runtime.InteropServices;
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
            var (pool, backend) = (tunnel.Backend.Pool, tunnel.Backend.Name);
            var key = new Key(tunnel.Tuple?.Destination, pool, backend, tunnel.Lane, tunnel.Reactor?.KernelName, StateReader.TlsOf(tunnel));
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _);
            sum = new Sum(sum.Tunnels + 1, sum.ToBackend + tunnel.BytesToBackend, sum.ToClient + tunnel.BytesToClient);
        }

        return [.. sums.OrderByDescending(flow => flow.Value.Tunnels).Take(Most).Select(flow => Read(flow.Key, flow.Value))];
    }

    private static TunnelFlow Read(Key key, Sum sum) => new()
    {
        Listener = key.Listener?.ToEndPoint(),
        Pool = key.Pool,
        Backend = key.Backend,
        Lane = key.Lane,
        ReactorKind = key.ReactorKind,
        Tls = key.Tls,
        Tunnels = sum.Tunnels,
        BytesToBackend = sum.ToBackend,
        BytesToClient = sum.ToClient,
    };

    // By names, since a reload that moves a backend to another address makes a new one of it. They are the same in upper and lower case.
    private readonly record struct Key(RawAddress? Listener, string Pool, string Backend, string Lane, string? ReactorKind, string Tls)
    {
        public bool Equals(Key other)
            => Nullable.Equals(Listener, other.Listener) && Is(Pool, other.Pool) && Is(Backend, other.Backend)
                && (Lane, ReactorKind, Tls) == (other.Lane, other.ReactorKind, other.Tls);

        public override int GetHashCode() => HashCode.Combine(Listener, Hash(Pool), Hash(Backend), Lane, ReactorKind, Tls);

        private static bool Is(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

        private static int Hash(string name) => name.GetHashCode(StringComparison.OrdinalIgnoreCase);
    }

    private readonly record struct Sum(int Tunnels, long ToBackend, long ToClient);
}
