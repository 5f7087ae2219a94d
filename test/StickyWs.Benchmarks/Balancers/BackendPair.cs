using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>The one backend of all balancers, without TLS and with it.</summary>
internal sealed class BackendPair : IDisposable
{
    private readonly ServerCertificate _certificate = new();
    private readonly List<Child> _children = [];

    /// <param name="hasTls">Whether the one with TLS is needed: it asks for OpenSSL.</param>
    public static async Task<BackendPair> StartAsync(bool hasTls)
    {
        var backends = new BackendPair();
        try
        {
            backends._children.Add(await Child.StartEndAsync("serve-backend"));
            if (hasTls) backends._children.Add(await Child.StartEndAsync("serve-backend", backends._certificate.File));
            return backends;
        }
        catch
        {
            backends.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A balancer's place. Each reaches the backend at an address of its own, so that none looks for a free port among those that another left in
    /// TIME-WAIT.
    /// </summary>
    public Place PlaceOf(int contestant, Wiring wiring) => new(
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.{10 + contestant}:{With(wiring == Wiring.TlsToBoth).Greeting}"),
        wiring == Wiring.TlsToBoth,
        wiring == Wiring.Plain ? null : _certificate.File);

    /// <summary>Nobody in the middle: a backend that speaks to clients as the balancers do.</summary>
    public Balancer Direct(Wiring wiring) => Balancer.None(With(wiring != Wiring.Plain));

    public void Dispose()
    {
        _children.ForEach(child => child.Dispose());
        _certificate.Dispose();
    }

    private Child With(bool tls) => _children[tls ? 1 : 0];
}
