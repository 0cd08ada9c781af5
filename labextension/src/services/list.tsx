import * as React from 'react';

import { IEndpoint, IWebService } from '../generated/api';
import { ago } from '../time';

/** How many services are listed before a person asks for more. */
const PAGE = 20;

interface IProps {
  services: readonly IWebService[];
  copy: (what: IServing) => void;
}

export type IServing = Pick<
  IEndpoint,
  'id' | 'name' | 'reference' | 'model' | 'definition_hash' | 'revision' | 'updated_at' | 'address'
>;

/** The web services, and what each of their endpoints serves. */
export function ServiceList({ services, copy }: IProps): JSX.Element {
  const [count, setCount] = React.useState(PAGE);
  if (services.length === 0) {
    return (
      <p className="mlalm-empty">
        No service yet. Register a model with <code>%register model NAME</code>, then{' '}
        <code>%deploy NAME:1 SERVICE</code>.
      </p>
    );
  }
  return (
    <>
      <ul className="mlalm-list" aria-label="Services">
        {services.slice(0, count).map(service => (
          <li key={service.id} className="mlalm-service">
            <span className="mlalm-name">{service.name}</span>
            <span className="mlalm-line">
              {service.kind}, {service.state}
            </span>
            {service.region === null ? (
              <ul className="mlalm-list" aria-label={`Endpoints of ${service.name}`}>
                {service.endpoints.map(endpoint => (
                  <ServingLine key={endpoint.id} what={endpoint} copy={copy} />
                ))}
              </ul>
            ) : (
              <ul className="mlalm-list" aria-label={`What ${service.name} serves`}>
                <ServingLine what={{ ...service, name: service.region, reference: service.name }} copy={copy} />
              </ul>
            )}
          </li>
        ))}
      </ul>
      {services.length > count && (
        <button className="mlalm-more" onClick={() => setCount(count + PAGE)}>
          Show more services ({services.length - count})
        </button>
      )}
    </>
  );
}

/** One address, and what answers there: an endpoint, or the whole of a New service in its region. */
function ServingLine({ what: endpoint, copy }: { what: IServing; copy: IProps['copy'] }): JSX.Element {
  const why = `mlalm-no-address-${endpoint.id}`;
  return (
    <li className="mlalm-endpoint">
      <span className="mlalm-endpoint-name">{endpoint.name}</span>
      <span className="mlalm-serves" title={`Definition ${endpoint.definition_hash.slice(0, 12)}`}>
        {endpoint.model ?? 'function'}
      </span>
      <span className="mlalm-revision" title={`Since ${endpoint.updated_at}`}>
        rev. {endpoint.revision}, {ago(endpoint.updated_at)}
      </span>
      <button
        className="mlalm-copy"
        disabled={endpoint.address === null}
        aria-label={`Copy the address of ${endpoint.reference}`}
        aria-describedby={endpoint.address === null ? why : undefined}
        onClick={() => copy(endpoint)}
      >
        Copy address
      </button>
      {endpoint.address === null && (
        <span id={why} className="mlalm-line mlalm-why">
          No address before the server&apos;s first start: <code>mlalm server start</code>
        </span>
      )}
    </li>
  );
}
