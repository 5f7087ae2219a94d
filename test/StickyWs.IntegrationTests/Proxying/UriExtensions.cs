namespace StickyWs.IntegrationTests.Proxying;

internal static class UriExtensions
{
    public static Uri Uri(this TestKit.RawBackend backend) => new(backend.Address);
}
