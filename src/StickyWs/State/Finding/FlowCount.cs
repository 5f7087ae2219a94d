using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StickyWs.Backends;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.Tunnels;

namespace StickyWs.State;

/// <summary>Counts tunnels by where they come from and where they lead, in one pass.</summary>
internal sealed class FlowCount
{
    // There are as many as listeners, backends and lanes together make; clients cannot make more.
    private const int Most = 1000;

    private readonly Dictionary<Way, Sum> _sums = [];

    /// <summary>How many were added.</summary>
    public int Added { get; private set; }

    public void Add(Tunnel tunnel)
    {
        Added++;
        var way = new Way(tunnel.Tuple?.Destination, tunnel.Backend, tunnel.Lane, tunnel.Reactor, StateReader.TlsOf(tunnel));
        CollectionsMarshal.GetValueRefOrAddDefault(_sums, way, out _).Add(new Sum(1, tunnel.BytesToBackend, tunnel.BytesToClient));
    }

    public IReadOnlyList<TunnelFlow> Read()
    {
        var sums = new Dictionary<Key, Sum>();
        foreach (var (way, sum) in _sums)
        {
            var key = new Key(way.Listener, way.Backend.Pool, way.Backend.Name, way.Lane, way.Reactor?.KernelName, way.Tls);
            CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _).Add(sum);
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

    // As tunnels have it: no name is hashed for each of them.
    private readonly record struct Way(RawAddress? Listener, Backend Backend, string Lane, Reactor? Reactor, string Tls)
    {
        public bool Equals(Way other)
            => ReferenceEquals(Backend, other.Backend) && ReferenceEquals(Reactor, other.Reactor) && Lane == other.Lane && Tls == other.Tls
                && Nullable.Equals(Listener, other.Listener);

        public override int GetHashCode()
            => HashCode.Combine(RuntimeHelpers.GetHashCode(Backend), Reactor is null ? 0 : RuntimeHelpers.GetHashCode(Reactor), Listener?.Port, Tls.Length);
    }

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

    private record struct Sum(int Tunnels, long ToBackend, long ToClient)
    {
        public void Add(Sum other)
            => (Tunnels, ToBackend, ToClient) = (Tunnels + other.Tunnels, ToBackend + other.ToBackend, ToClient + other.ToClient);
    }
}
