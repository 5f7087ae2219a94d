using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace StickyWs.Names;

/// <summary>
/// Connects to names that may have several addresses, some of them unreachable. If an address fails or does not answer soon, the next one is tried;
/// the one that was reached comes first for a while. Plain requests, handshakes and probes all connect through this class.
/// </summary>
internal sealed class AddressBook(INameResolver resolver, TimeProvider time)
{
    // The longest that RFC 8305 section 4 lets an outcome be remembered.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    // Names come from the configuration; this bounds a configuration that keeps changing them.
    private const int MostNames = 4096;

    // How many cancelled attempts in a row the address that was last reached is kept for.
    private const int MostMisses = 3;

    private readonly ConcurrentDictionary<(string Host, int Port), First> _first = new();

    /// <summary>The instance with the system's resolver and clock.</summary>
    public static AddressBook System { get; } = new(new SystemNameResolver(), TimeProvider.System);

    /// <summary>Connects to the first address that can be reached.</summary>
    /// <param name="host">A name, or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="connect">Connects to one address; the caller owns the result.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <exception cref="SocketException">
    /// No address can be reached, the name has none, or the attempt was cancelled before the name servers answered
    /// (<see cref="SocketError.TryAgain"/>).
    /// </exception>
    /// <exception cref="OperationCanceledException">The attempt was cancelled.</exception>
    public async ValueTask<T> ConnectAsync<T>(
        string host, int port, Func<IPEndPoint, CancellationToken, ValueTask<T>> connect, CancellationToken cancellationToken)
        where T : IDisposable
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return await connect(new IPEndPoint(Plain(literal), port), cancellationToken).ConfigureAwait(false);
        }

        var addresses = Array.ConvertAll(await ResolveAsync(host, cancellationToken).ConfigureAwait(false), Plain);
        if (addresses.Length == 0) throw new SocketException((int)SocketError.HostNotFound);
        if (addresses.Length == 1) return await connect(new IPEndPoint(addresses[0], port), cancellationToken).ConfigureAwait(false);
        var name = (host, port);
        var race = new AddressRace<T>(Ordered(name, addresses, out var known), known, port, connect, time);
        try
        {
            var (connection, address) = await race.RunAsync(cancellationToken).ConfigureAwait(false);
            Begin(name, address, known: address);
            return connection;
        }
        catch (OperationCanceledException) when (race.Untried is { } untried)
        {
            GiveUp(name, known, untried);
            throw;
        }
    }

    /// <summary>The address that was last reached for a name has proved unusable: try the others first the next time.</summary>
    public void Distrust(string host, int port)
    {
        if (_first.TryGetValue((host, port), out var first)) _first[(host, port)] = first with { IsLast = true };
    }

    // Running out of time during the look-up is not a connect time-out. Callers that bound the connect would also wrap a cancellation, and lose what
    // it was waiting for.
    private async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return await resolver.ResolveAsync(host, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new SocketException((int)SocketError.TryAgain, $"The name servers did not answer in time for {host}.");
        }
    }

    // Whatever the time-out is, one address must not keep the others from their turn forever. But the caller may have cancelled for another reason,
    // so an address that was reached before is not given up at once.
    private void GiveUp((string Host, int Port) name, IPAddress? known, IPAddress untried)
    {
        var misses = known is not null && _first.TryGetValue(name, out var first) ? first.Misses + 1 : MostMisses;
        Begin(name, misses < MostMisses ? known! : untried, known, misses < MostMisses ? misses : 0);
    }

    private void Begin((string Host, int Port) name, IPAddress address, IPAddress? known, int misses = 0)
    {
        if (_first.Count >= MostNames) _first.Clear();
        _first[name] = new First(address, known, misses, time.GetTimestamp());
    }

    // An IPv6-only socket does not accept an IPv4-mapped address.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    // The preferred address first, then both families in turn (RFC 8305 section 4).
    private List<IPAddress> Ordered((string Host, int Port) name, IPAddress[] addresses, out IPAddress? known)
    {
        var ordered = new List<IPAddress>(addresses.Length);
        var first = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily));
        var second = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily));
        while (first.Count + second.Count > 0)
        {
            if (first.TryDequeue(out var address)) ordered.Add(address);
            if (second.TryDequeue(out address)) ordered.Add(address);
        }

        known = null;
        if (!_first.TryGetValue(name, out var begin) || time.GetElapsedTime(begin.At) >= Memory || !ordered.Remove(begin.Address)) return ordered;
        ordered.Insert(begin.IsLast ? ordered.Count : 0, begin.Address);
        known = begin.Known;
        return ordered;
    }

    private readonly record struct First(IPAddress Address, IPAddress? Known, int Misses, long At, bool IsLast = false);
}
